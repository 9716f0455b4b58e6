#include "cli/remote_grammar.h"

#include <fmt/format.h>

#include <utility>

#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

// What every router must pass (RFC 791 section 3.2, RFC 8200 section 5), and what an IP header can say.
constexpr std::uint32_t kMinMtu4 = 68;
constexpr std::uint32_t kMinMtu6 = 1280;
constexpr std::uint32_t kMaxMtu = 65535;

void read_mtu(Words& words, v1::Remote& remote) {
  words.once("mtu");
  if (words.take_word("auto")) return remote.set_mtu(0);
  const std::uint32_t least = IpAddr::parse(remote.address())->is_v4() ? kMinMtu4 : kMinMtu6;
  const std::uint32_t mtu = read_number(words, "mtu", kMaxMtu, "'auto' or a number of bytes up to 65535");
  if (!words.failed() && mtu < least) {
    words.fail(fmt::format("'mtu {}' makes no sense: {} is the least on the way to {}", mtu, least,
                           remote.address()));
  }
  remote.set_mtu(mtu);
}

void read_word(Words& words, v1::Remote& remote) {
  constexpr std::string_view kChecksum = "udpcsum, noudpcsum or default";
  if (words.take_word("udpcsum")) {
    words.once(kChecksum);
    remote.set_udp_csum(true);
  } else if (words.take_word("noudpcsum")) {
    words.once(kChecksum);
    remote.set_udp_csum(false);
  } else if (words.take_word("default")) {
    words.once(kChecksum);
    remote.set_link_udp_csum(true);
  } else if (words.take_word("mtu")) {
    read_mtu(words, remote);
  } else if (words.take_abbreviation("help")) {
    words.help(kRemoteUsage);
  } else {
    words.fail(fmt::format("'{}' makes no sense to 'remote set': see 'vtep remote help'", words.peek()));
  }
}

}  // namespace

Parsed<v1::Remote> parse_remote_set(Words& words) {
  v1::Remote remote;
  if (words.take_abbreviation("help")) words.help(kRemoteUsage);
  remote.set_address(read_unicast(words, "set").to_string());
  while (!words.done()) read_word(words, remote);
  // On what is not const this name clears the other field.
  if (!remote.has_udp_csum() && !remote.link_udp_csum() && !remote.has_mtu()) {
    words.fail("nothing to set: say 'udpcsum', 'noudpcsum', 'default' or 'mtu'");
  }
  return words.parsed(std::move(remote));
}

Parsed<v1::ListRemotesRequest> parse_remote_show(Words& words) {
  v1::ListRemotesRequest request;
  request.set_dev(read_show(words, "remote", kRemoteUsage));
  return words.parsed(std::move(request));
}

}  // namespace vtep
