#include "wire/options.h"
#include "wire/print_parts.h"
#include "wire/tcp.h"

namespace vtep::print {
namespace {

void append_flags(std::string& out, std::uint8_t flags) {
  static constexpr std::string_view kLetters = "FSRP.UEW";  // from the lowest bit up
  out += "Flags [";
  if (flags == 0) out += "none";
  for (std::size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((flags >> bit & 1) != 0) out += kLetters[bit];
  }
  out += ']';
}

/// False if the data does not fit the kind.
bool append_known_option(std::string& out, const Option& option) {
  const std::uint8_t* const p = option.data.data();
  const std::size_t size = option.data.size();
  switch (option.kind) {
    case Option::kEnd:
      out += "eol";
      return true;
    case Option::kNop:
      out += "nop";
      return true;
    case tcp_option::kMaxSegmentSize:
      if (size != 2) return false;
      append(out, "mss ", load_be16(p));
      return true;
    case tcp_option::kWindowScale:
      if (size != 1) return false;
      append(out, "wscale ", p[0]);
      return true;
    case tcp_option::kSackPermitted:
      if (size != 0) return false;
      out += "sackOK";
      return true;
    case tcp_option::kSack:
      if (size == 0 || size % 8 != 0) return false;
      append(out, "sack ", size / 8, " ");
      for (std::size_t i = 0; i < size; i += 8) {
        append(out, "{", load_be32(p + i), ":", load_be32(p + i + 4), "}");
      }
      return true;
    case tcp_option::kTimestamps:
      if (size != 8) return false;
      append(out, "TS val ", load_be32(p), " ecr ", load_be32(p + 4));
      return true;
    default:
      return false;
  }
}

void append_option(std::string& out, const Option& option) {
  if (append_known_option(out, option)) return;
  append(out, "unknown-", option.kind);
  for (std::size_t i = 0; i < option.data.size(); ++i) {
    if (i == 0) out += " 0x";
    out += hex(option.data[i], 2).substr(2);
  }
}

/// False if they are malformed.
bool append_options(std::string& out, ByteView bytes) {
  OptionCursor cursor(bytes);
  std::string_view separator = ", options [";
  while (const auto option = cursor.next()) {
    out += separator;
    append_option(out, *option);
    separator = ",";
  }
  if (!bytes.empty())
    append(out, cursor.is_malformed() ? separator : "", cursor.is_malformed() ? "[bad opt]" : "]");
  return !cursor.is_malformed();
}

}  // namespace

void tcp(std::string& out, ByteView segment, const IpContext& ip) {
  const std::uint8_t* const p = segment.data();
  if (segment.size() < TcpHeader::kSequence) {
    ip.append_addresses(out);
    out += "[|tcp]";
    return;
  }
  ip.append_endpoints(out, load_be16(p + TcpHeader::kSourcePort), load_be16(p + TcpHeader::kDestinationPort));
  if (segment.size() < TcpHeader::kSize) {
    out += " [|tcp]";
    return;
  }
  const auto view = TcpView::parse(segment);
  if (!view) {
    const std::size_t header_length = std::size_t{p[TcpHeader::kDataOffset]} / 16 * 4;
    if (header_length < TcpHeader::kSize) {
      return append(out, " tcp ", segment.size() - header_length, " [bad hdr length ", header_length,
                    " - too short, < ", TcpHeader::kSize, "]");
    }
    append_flags(out, p[TcpHeader::kFlags]);
    return append(out, " [bad hdr length ", header_length, " - too long, > ", segment.size(), "]");
  }

  const auto length = static_cast<std::uint32_t>(ip.stated_length - view->header_length());
  append_flags(out, view->flags());
  constexpr std::uint8_t kCounted = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  if (length > 0 || (view->flags() & kCounted) != 0) append(out, ", seq ", view->sequence());
  if (length > 0) append(out, ":", view->sequence() + length);
  if ((view->flags() & tcp_flag::kAck) != 0) append(out, ", ack ", view->acknowledgment());
  append(out, ", win ", view->window());
  if ((view->flags() & tcp_flag::kUrg) != 0) append(out, ", urg ", view->urgent());
  if (!append_options(out, view->options())) return;
  append(out, ", length ", length);
}

}  // namespace vtep::print
