#include "base/mac.h"

#include <charconv>

namespace vtep {

std::optional<MacAddr> MacAddr::parse(std::string_view text) {
  std::array<std::uint8_t, kSize> octets{};
  char separator = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    const std::size_t length = text.find_first_of(":-");
    const std::string_view group = text.substr(0, length);
    if (group.empty() || group.size() > 2) return std::nullopt;
    const char* const end = group.data() + group.size();
    const auto [stop, status] = std::from_chars(group.data(), end, octets[i], 16);
    if (status != std::errc{} || stop != end) return std::nullopt;
    if (i + 1 == kSize)
      return length == std::string_view::npos ? std::optional(MacAddr(octets)) : std::nullopt;
    if (length == std::string_view::npos) return std::nullopt;
    if (separator != 0 && text[length] != separator) return std::nullopt;
    separator = text[length];
    text.remove_prefix(length + 1);
  }
  return std::nullopt;
}

std::string MacAddr::to_string() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(3 * kSize - 1);
  for (int shift = 40; shift >= 0; shift -= 8) {
    const auto octet = static_cast<std::uint8_t>(value_ >> shift);
    if (!text.empty()) text += ':';
    text += kDigits[octet >> 4];
    text += kDigits[octet & 0xf];
  }
  return text;
}

}  // namespace vtep
