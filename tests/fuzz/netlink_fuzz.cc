// The parsers of what the kernel says over netlink. The first byte chooses one, the rest is a message's
// payload.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "io/address_message.h"
#include "io/bridge_message.h"
#include "io/link_message.h"
#include "io/neighbour_message.h"
#include "io/route_message.h"

namespace vtep {
namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

bool fits(const IpAddr& address, unsigned length) {
  return length <= (address.is_v4() ? 32U : 128U);
}

void parse(std::uint8_t parser, ByteView payload) {
  switch (parser) {
    case 0:
      if (const auto link = parse_link(payload)) check(link->interface.index.is_set());
      break;
    case 1:
      if (const auto address = parse_address(payload)) check(address->device.is_set());
      break;
    case 2:
      if (const auto neighbour = parse_neighbour(payload)) check(neighbour->device.is_set());
      break;
    case 3:
      if (const auto message = parse_route(payload)) {
        const Prefix& destination = message->route.destination;
        check(fits(destination.address(), destination.length()));
        check(!to_string(message->route, "flannel.1").empty());
      }
      break;
    case 4:
      if (const auto entry = parse_bridge_entry(payload)) check(entry->device.is_set());
      break;
    default:
      break;
  }
}

}  // namespace
}  // namespace vtep

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) vtep::parse(data[0], vtep::ByteView(data, size).subspan(1));
  return 0;
}
