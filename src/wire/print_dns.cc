// Questions of multicast DNS (RFC 6762), which every desktop sends as soon as an interface comes up.
#include <optional>

#include "wire/print_parts.h"

namespace vtep::print {
namespace {

// RFC 1035 section 4.1.
constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kMaxName = 255;
constexpr std::uint8_t kPointer = 0xc0;
/// RFC 6762 section 5.4: the top bit of the class asks for a unicast response.
constexpr std::uint16_t kUnicastResponse = 0x8000;
constexpr std::uint16_t kClassInternet = 1;

std::string_view type_name(std::uint16_t type) {
  switch (type) {
    case 1:
      return "A";
    case 12:
      return "PTR";
    case 16:
      return "TXT";
    case 28:
      return "AAAA";
    case 33:
      return "SRV";
    case 255:
      return "ANY";
    default:
      return {};
  }
}

/// Appends `name.` and returns the offset behind the name. Pointers must go backwards and count as a byte of
/// it, so this ends soon.
std::optional<std::size_t> append_name(std::string& out, ByteView message, std::size_t offset) {
  std::optional<std::size_t> behind;
  std::size_t limit = message.size();  // labels and pointers lie in front of it
  std::size_t written = 0;
  while (offset < limit) {
    const std::uint8_t length = message[offset];
    if ((length & kPointer) == kPointer) {
      if (offset + 2 > limit) return std::nullopt;
      const std::size_t target = load_be16(message.data() + offset) & 0x3fffU;
      if (!behind) behind = offset + 2;
      if (++written > kMaxName) return std::nullopt;
      limit = offset;  // only backwards
      offset = target;
      continue;
    }
    if ((length & kPointer) != 0) return std::nullopt;
    if (length == 0) {
      if (out.empty()) out += '.';
      return behind ? behind : offset + 1;
    }
    written += length + 1U;
    if (offset + 1 + length > limit || written > kMaxName) return std::nullopt;
    for (const std::uint8_t c : message.subspan(offset + 1, length)) {
      if (c <= ' ' || c > '~') return std::nullopt;
      out += static_cast<char>(c);
    }
    out += '.';
    offset += 1U + length;
  }
  return std::nullopt;
}

std::optional<std::size_t> append_question(std::string& out, ByteView message, std::size_t offset) {
  std::string name;
  const auto behind = append_name(name, message, offset);
  if (!behind || message.size() - *behind < 4) return std::nullopt;
  const std::string_view type = type_name(load_be16(message.data() + *behind));
  const std::uint16_t in_class = load_be16(message.data() + *behind + 2);
  if (type.empty() || (in_class & ~kUnicastResponse) != kClassInternet) return std::nullopt;
  append(out, type, (in_class & kUnicastResponse) != 0 ? " (QU)? " : " (QM)? ", name, " ");
  return *behind + 4;
}

}  // namespace

bool mdns_question(std::string& out, ByteView message) {
  if (message.size() < kHeaderSize) return false;
  const std::uint8_t* const p = message.data();
  const std::uint16_t flags = load_be16(p + 2);
  const std::uint16_t questions = load_be16(p + 4);
  const bool only_questions = load_be16(p + 6) == 0 && load_be32(p + 8) == 0;
  if (flags != 0 || questions == 0 || !only_questions) return false;

  std::string text;
  append(text, load_be16(p), " ");
  if (questions > 1) append(text, "[", questions, "q] ");
  std::size_t offset = kHeaderSize;
  for (std::uint16_t i = 0; i < questions; ++i) {
    const auto behind = append_question(text, message, offset);
    if (!behind) return false;
    offset = *behind;
  }
  out += text;
  return true;
}

}  // namespace vtep::print
