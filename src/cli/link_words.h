// The kernel's numbers in iproute2's words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vtep {

/// IFF_* as `ip` lists them: RUNNING is not named, NO-CARRIER stands for an interface that is up without it,
/// and bits without a name come last, as one hexadecimal number.
std::vector<std::string> flag_names(std::uint32_t flags);
/// IF_OPER_*: "UNKNOWN", "DOWN", "UP"; a number that has no word is printed as such.
std::string operstate_name(std::uint32_t state);
/// IF_LINK_MODE_*: "DEFAULT".
std::string link_mode_name(std::uint32_t mode);
/// IN6_ADDR_GEN_MODE_*: "eui64".
std::string addr_gen_mode_name(std::uint32_t mode);
/// Device groups: "default" for 0, otherwise the number; /etc/iproute2/group is not read.
std::string group_name(std::uint32_t group);

}  // namespace vtep
