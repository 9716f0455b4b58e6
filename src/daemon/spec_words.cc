#include "daemon/spec_words.h"

#include <fmt/format.h>

namespace vtep {

Result<MacAddr> parse_mac(const std::string& text) {
  const auto mac = MacAddr::parse(text);
  if (!mac) return fail(ErrorKind::kInvalid, fmt::format("Invalid mac address {}", text));
  return *mac;
}

Result<Vni> parse_vni_number(std::uint32_t number) {
  const auto vni = Vni::from(number);
  if (!vni) return fail(ErrorKind::kInvalid, fmt::format("VNI {} is larger than 16777215", number));
  return *vni;
}

}  // namespace vtep
