// The byte that IPv4 calls TOS and IPv6 traffic class, in iproute2's words. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vtep {

/// Linux's number for "as the inner packet's".
inline constexpr std::uint8_t kTosInherit = 1;

/// A name of iproute2's rt_dsfield ("AF11", "CS6", "EF"), or a number that is hexadecimal with and without
/// 0x, as iproute2 has it.
std::optional<std::uint8_t> parse_dsfield(std::string_view word);

}  // namespace vtep
