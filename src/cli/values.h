// Values that stand behind a keyword: numbers, names and addresses, checked as far as that needs no daemon.
//
// Each reader takes the next word of `words`; if it is missing or makes no sense, it fails `words` with a
// sentence that names `keyword`, and returns an empty value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/mac.h"
#include "base/prefix.h"
#include "cli/words.h"

namespace vtep {

/// `what` says what is expected: "a number of seconds".
std::uint32_t read_number(Words& words, std::string_view keyword, std::uint32_t max, std::string_view what);
/// 0–16777215 (RFC 7348 section 5).
std::uint32_t read_vni(Words& words, std::string_view keyword);
/// A nexthop or a group of them: any number but 0.
std::uint32_t read_nexthop_id(Words& words, std::string_view keyword);
/// 0–65535.
std::uint32_t read_port(Words& words, std::string_view keyword);
/// An interface's name by the kernel's rules: 1–15 characters, no '/', no ':', no blank.
std::string read_name(Words& words, std::string_view keyword);
/// A unicast address: not the unspecified one, not a group.
IpAddr read_unicast(Words& words, std::string_view keyword);
/// A multicast group.
IpAddr read_group(Words& words, std::string_view keyword);
/// Either, but not the unspecified one.
IpAddr read_address(Words& words, std::string_view keyword);
/// An address with a prefix length; without one it is that of a single address.
Prefix read_prefix(Words& words, std::string_view keyword);
MacAddr read_mac(Words& words, std::string_view keyword);

/// The rest of `OBJECT show [dev DEV]`: the device's name, empty if none was given. `usage` is the object's
/// help.
std::string read_show(Words& words, std::string_view object, std::string_view usage);

}  // namespace vtep
