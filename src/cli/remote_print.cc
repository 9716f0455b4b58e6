#include "cli/remote_print.h"

#include <fmt/format.h>

namespace vtep {

std::string path_text(const v1::Remote& remote) {
  std::string text = remote.address();
  if (remote.mtu() != 0) text += fmt::format(" path mtu {}", remote.mtu());
  if (remote.mtu_expires() != 0) text += fmt::format(" expires {}sec", remote.mtu_expires());
  if (remote.has_udp_csum()) text += remote.udp_csum() ? " udpcsum" : " noudpcsum";
  return text;
}

Json path_json(const v1::Remote& remote) {
  Json json = {{"address", remote.address()}};
  if (remote.mtu() != 0) json["path_mtu"] = remote.mtu();
  if (remote.mtu_expires() != 0) json["expires"] = remote.mtu_expires();
  if (remote.has_udp_csum()) json["udp_csum"] = remote.udp_csum();
  return json;
}

std::string remote_text(const v1::Remote& remote) {
  return fmt::format("{} entries {}\n", path_text(remote), remote.entries());
}

Json remote_json(const v1::Remote& remote) {
  Json json = path_json(remote);
  json["entries"] = remote.entries();
  return json;
}

}  // namespace vtep
