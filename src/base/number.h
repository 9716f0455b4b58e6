// Parsing of unsigned numbers typed by people.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vtep {

/// Decimal, or hexadecimal behind `0x`, as iproute2 takes them. Nothing may stand before or after the digits
/// (no sign, no blank). Empty if `text` is not such a number or is larger than `max`.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max);

}  // namespace vtep
