#include "io/neighbour_message.h"

#include <linux/neighbour.h>

#include <cstring>

#include "io/netlink_attributes.h"

namespace vtep {
namespace {

constexpr std::uint16_t kUsable =
    NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;

}  // namespace

std::optional<NeighbourEntry> parse_neighbour(ByteView payload) {
  ndmsg header{};
  if (payload.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof(header));
  if (header.ndm_ifindex <= 0 || (header.ndm_flags & NTF_PROXY) != 0) return std::nullopt;

  std::optional<IpAddr> ip;
  std::optional<MacAddr> mac;
  std::uint8_t protocol = 0;
  NetlinkAttributes attributes(payload.subspan(sizeof(header)));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == NDA_DST) ip = attribute->ip(header.ndm_family);
    if (attribute->type == NDA_PROTOCOL) protocol = attribute->number<std::uint8_t>().value_or(0);
    if (attribute->type == NDA_LLADDR && attribute->payload.size() == MacAddr::kSize) {
      mac = MacAddr::load(attribute->payload.data());
    }
  }
  if (attributes.damaged() || !ip) return std::nullopt;
  return NeighbourEntry{.device = IfIndex(static_cast<std::uint32_t>(header.ndm_ifindex)),
                        .ip = *ip,
                        .mac = mac.value_or(MacAddr()),
                        .valid = mac.has_value() && (header.ndm_state & kUsable) != 0,
                        .permanent = (header.ndm_state & NUD_PERMANENT) != 0,
                        .router = (header.ndm_flags & NTF_ROUTER) != 0,
                        .extern_learn = (header.ndm_flags & NTF_EXT_LEARNED) != 0,
                        .protocol = protocol};
}

}  // namespace vtep
