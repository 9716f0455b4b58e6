#include "cli/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/number.h"
#include "base/vni.h"

namespace vtep {

namespace {

constexpr std::size_t kMaxNameLength = 15;  // IFNAMSIZ without its final zero

std::string check_name(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > kMaxNameLength) return fmt::format("it is longer than {} characters", kMaxNameLength);
  if (name == "." || name == "..") return "the kernel reserves it";
  const auto is_bad = [](char c) { return c == '/' || c == ':' || c == 0x7f || (c >= 0 && c <= ' '); };
  if (std::ranges::any_of(name, is_bad)) return "'/', ':' and blanks are not allowed";
  return {};
}

}  // namespace

std::uint32_t read_number(Words& words, std::string_view keyword, std::uint32_t max, std::string_view what) {
  const std::string_view word = words.value_of(keyword);
  if (words.failed()) return 0;
  const std::optional<std::uint64_t> number = parse_number(word, max);
  if (!number) words.fail(fmt::format("'{} {}' makes no sense: {} is expected", keyword, word, what));
  return static_cast<std::uint32_t>(number.value_or(0));
}

std::uint32_t read_vni(Words& words, std::string_view keyword) {
  return read_number(words, keyword, Vni::kMax, "a VNI from 0 to 16777215");
}

std::uint32_t read_nexthop_id(Words& words, std::string_view keyword) {
  constexpr std::string_view kWhat = "the number of a nexthop, from 1";
  const std::uint32_t id = read_number(words, keyword, std::numeric_limits<std::uint32_t>::max(), kWhat);
  if (!words.failed() && id == 0)
    words.fail(fmt::format("'{} 0' makes no sense: {} is expected", keyword, kWhat));
  return id;
}

std::uint32_t read_port(Words& words, std::string_view keyword) {
  return read_number(words, keyword, 65535, "a port from 0 to 65535");
}

std::string read_name(Words& words, std::string_view keyword) {
  const std::string_view name = words.value_of(keyword);
  if (words.failed()) return {};
  if (const std::string trouble = check_name(name); !trouble.empty()) {
    words.fail(fmt::format("'{}' cannot be the name of an interface: {}", name, trouble));
    return {};
  }
  return std::string(name);
}

IpAddr read_address(Words& words, std::string_view keyword) {
  const std::string_view word = words.value_of(keyword);
  if (words.failed()) return {};
  const std::optional<IpAddr> address = IpAddr::parse(word);
  if (!address || address->is_unspecified()) {
    words.fail(fmt::format("'{} {}' makes no sense: an IPv4 or IPv6 address is expected", keyword, word));
  }
  return address.value_or(IpAddr());
}

IpAddr read_unicast(Words& words, std::string_view keyword) {
  const IpAddr address = read_address(words, keyword);
  if (!words.failed() && address.is_multicast()) {
    words.fail(fmt::format("'{} {}' makes no sense: that is a multicast group, a unicast address is expected",
                           keyword, address.to_string()));
  }
  return address;
}

IpAddr read_group(Words& words, std::string_view keyword) {
  const IpAddr address = read_address(words, keyword);
  if (!words.failed() && !address.is_multicast()) {
    words.fail(
        fmt::format("'{} {}' makes no sense: that is no multicast address; a unicast VTEP is a 'remote'",
                    keyword, address.to_string()));
  }
  return address;
}

Prefix read_prefix(Words& words, std::string_view keyword) {
  const std::string_view word = words.value_of(keyword);
  if (words.failed()) return {};
  const std::optional<Prefix> prefix = Prefix::parse(word);
  if (!prefix) {
    words.fail(fmt::format("'{} {}' makes no sense: a prefix is expected, like 10.0.0.0/8 or fd00::/8",
                           keyword, word));
  }
  return prefix.value_or(Prefix());
}

MacAddr read_mac(Words& words, std::string_view keyword) {
  const std::string_view word = words.value_of(keyword);
  if (words.failed()) return {};
  const std::optional<MacAddr> mac = MacAddr::parse(word);
  if (!mac) words.fail(fmt::format("'{}' is no MAC address like 4a:bd:99:0c:09:b2", word));
  return mac.value_or(MacAddr());
}

std::string read_show(Words& words, std::string_view object, std::string_view usage) {
  std::string dev;
  while (!words.done()) {
    if (words.take_word("dev")) {
      words.once("dev");
      dev = read_name(words, "dev");
    } else if (words.take_abbreviation("help")) {
      words.help(usage);
    } else {
      words.fail(
          fmt::format("'{}' makes no sense to '{} show': see 'vtep {} help'", words.peek(), object, object));
    }
  }
  return dev;
}

}  // namespace vtep
