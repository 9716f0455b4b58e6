#include "cli/dsfield.h"

#include <string>

#include "base/number.h"

namespace vtep {

namespace {

struct Name {
  std::string_view word;
  std::uint8_t value;
};

// RFC 2597, RFC 2474 and RFC 3246, each DSCP above two bits of ECN.
constexpr Name kNames[] = {
    {"default", 0x00}, {"AF11", 0x28}, {"AF12", 0x30}, {"AF13", 0x38}, {"AF21", 0x48}, {"AF22", 0x50},
    {"AF23", 0x58},    {"AF31", 0x68}, {"AF32", 0x70}, {"AF33", 0x78}, {"AF41", 0x88}, {"AF42", 0x90},
    {"AF43", 0x98},    {"CS1", 0x20},  {"CS2", 0x40},  {"CS3", 0x60},  {"CS4", 0x80},  {"CS5", 0xa0},
    {"CS6", 0xc0},     {"CS7", 0xe0},  {"EF", 0xb8},
};

}  // namespace

std::optional<std::uint8_t> parse_dsfield(std::string_view word) {
  for (const auto& [name, value] : kNames) {
    if (word == name) return value;
  }
  if (word.starts_with("0x")) word.remove_prefix(2);
  const std::optional<std::uint64_t> number = parse_number("0x" + std::string(word), 0xff);
  if (!number) return std::nullopt;
  return static_cast<std::uint8_t>(*number);
}

}  // namespace vtep
