// A path as GoBGP hands it on: what strangers told it.
#include <cstddef>
#include <cstdint>

#include "control/evpn_route.h"
#include "engine_input.h"
#include "gobgp/api.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  apipb::Path path;
  if (!path.ParseFromArray(data, static_cast<int>(size))) return 0;
  (void)vtep::EvpnRoute::describe(path);
  const auto read = vtep::EvpnRoute::from_path(path);
  if (!read || !*read) return 0;
  const vtep::EvpnRoute& route = **read;
  REQUIRE(!route.key().empty());
  if (path.is_withdraw()) return 0;
  // What we believe we can also say.
  const auto again = vtep::EvpnRoute::from_path(route.to_path());
  REQUIRE(again && *again);
  REQUIRE((*again)->key() == route.key());
  REQUIRE((*again)->vni == route.vni && (*again)->vtep == route.vtep && (*again)->mac == route.mac);
  return 0;
}
