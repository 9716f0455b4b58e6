#include "cli/link_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/usage.h"
#include "cli/values.h"
#include "cli/vxlan_grammar.h"

namespace vtep {

namespace {

// The kernel's own bounds for an Ethernet device (ETH_MIN_MTU, ETH_MAX_MTU).
constexpr std::uint32_t kMinMtu = 68;
constexpr std::uint32_t kMaxMtu = 65535;

// Words in front of `type` that say something about any interface. `ip link` has them and they work on vtep's
// interfaces too, so vtep does not repeat them. iproute2 lets those of the first list be shortened.
constexpr std::string_view kAbbreviatedDeviceWords[] = {
    "broadcast",   "txqueuelen",  "txqlen",      "allmulticast", "promisc",
    "trailers",    "master",      "nomaster",    "dynamic",      "alias",
    "numtxqueues", "numrxqueues", "addrgenmode", "link-netns",   "link-netnsid"};
constexpr std::string_view kExactDeviceWords[] = {
    "index", "link",  "brd",  "qlen",  "netns", "multicast", "arp",          "carrier",      "vf",
    "vrf",   "group", "mode", "state", "xdp",   "protodown", "gso_max_size", "gso_max_segs", "gro_max_size"};

std::optional<std::string_view> device_word(std::string_view word) {
  if (const auto it = std::ranges::find(kExactDeviceWords, word); it != std::end(kExactDeviceWords))
    return *it;
  const auto it = std::ranges::find_if(kAbbreviatedDeviceWords,
                                       [word](std::string_view full) { return abbreviates(word, full); });
  if (it != std::end(kAbbreviatedDeviceWords)) return *it;
  return std::nullopt;
}

void read_type(Words& words) {
  const std::string_view type = words.value_of("type");
  if (!words.failed() && type != "vxlan") {
    words.fail(fmt::format("vtep makes links of type vxlan only, not '{}'", type));
  }
}

// Takes the next word as the link's name; there may be one.
void read_link_name(Words& words, std::string_view keyword, std::string& name) {
  if (!name.empty() && !words.done()) {
    return words.fail(
        fmt::format("'{}' makes no sense here: the link's name is '{}' already", words.peek(), name));
  }
  name = read_name(words, keyword);
}

// What both `link add` and `link set` take, up to the type. True if such a word was there.
bool read_common(Words& words, v1::LinkSpec& spec) {
  if (words.take_abbreviation("address")) {
    words.once("address");
    const MacAddr mac = read_mac(words, "address");
    if (!words.failed() && !mac.is_unicast()) {
      words.fail(
          fmt::format("{} cannot be the address of an interface: it is no unicast address", mac.to_string()));
    }
    spec.set_address(mac.to_string());
    return true;
  }
  if (words.take_word("mtu")) {
    words.once("mtu");
    const std::uint32_t mtu = read_number(words, "mtu", kMaxMtu, "a number of bytes from 68 to 65535");
    if (mtu < kMinMtu) words.fail(fmt::format("'mtu {}' makes no sense: 68 is the least", mtu));
    spec.set_mtu(mtu);
    return true;
  }
  if (const auto word = device_word(words.peek())) {
    words.fail(fmt::format(
        "'{0}' is not for vtep to set: the interface is an ordinary one, use 'ip link set NAME {0}'", *word));
    return true;
  }
  if (words.take_abbreviation("help")) {
    words.help(kLinkUsage);
    return true;
  }
  return false;
}

}  // namespace

Parsed<v1::AddLinkRequest> parse_link_add(Words& words) {
  v1::AddLinkRequest request;
  bool has_type = false;
  while (!words.done()) {
    if (words.take_abbreviation("type")) {
      has_type = true;
      read_type(words);
      read_vxlan(words, true, *request.mutable_spec());
    } else if (words.take_word("name") || words.take_word("dev")) {
      read_link_name(words, "name", *request.mutable_name());
    } else if (words.peek() == "up" || words.peek() == "down") {
      words.fail(fmt::format("'{0}' comes once the link is there: 'vtep link set NAME {0}'", words.peek()));
    } else if (!read_common(words, *request.mutable_spec())) {
      read_link_name(words, "name", *request.mutable_name());
    }
  }
  if (!has_type) words.fail("the type is missing: say 'type vxlan id VNI'");
  return words.parsed(std::move(request));
}

Parsed<v1::SetLinkRequest> parse_link_set(Words& words) {
  v1::SetLinkRequest request;
  while (!words.done()) {
    if (words.take_word("up")) {
      words.once("up");
      request.set_up(true);
    } else if (words.take_word("down")) {
      words.once("up");
      request.set_up(false);
    } else if (words.take_abbreviation("type")) {
      read_type(words);
      read_vxlan(words, false, *request.mutable_spec());
    } else if (words.take_word("dev")) {
      read_link_name(words, "dev", *request.mutable_name());
    } else if (words.take_word("name")) {
      words.once("name");
      request.set_new_name(read_name(words, "name"));
    } else if (!read_common(words, *request.mutable_spec())) {
      read_link_name(words, "dev", *request.mutable_name());
    }
  }
  if (request.name().empty()) words.fail("the link's name is missing: 'vtep link set NAME …'");
  return words.parsed(std::move(request));
}

Parsed<v1::DeleteLinkRequest> parse_link_delete(Words& words) {
  v1::DeleteLinkRequest request;
  while (!words.done()) {
    if (words.take_abbreviation("type")) {
      read_type(words);
    } else if (words.take_abbreviation("help")) {
      words.help(kLinkUsage);
    } else {
      words.take_word("dev");
      read_link_name(words, "dev", *request.mutable_name());
    }
  }
  if (request.name().empty()) words.fail("the link's name is missing: 'vtep link del NAME'");
  return words.parsed(std::move(request));
}

Parsed<LinkShow> parse_link_show(Words& words) {
  LinkShow show;
  while (!words.done()) {
    if (words.take_word("up")) {
      show.up = true;
    } else if (words.take_word("type")) {
      read_type(words);
    } else if (words.take_word("dev")) {
      read_link_name(words, "dev", show.name);
    } else if (words.take_abbreviation("help")) {
      words.help(kLinkUsage);
    } else {
      read_link_name(words, "dev", show.name);
    }
  }
  return words.parsed(std::move(show));
}

std::string port_notice(const v1::AddLinkRequest& request) {
  if (request.spec().has_dstport()) return {};
  return "vxlan: destination port not specified\n"
         "Will use 8472, the Linux kernel's default (non-standard value)\n"
         "Use 'dstport 4789' to get the IANA assigned value\n"
         "Use 'dstport 0' to get default and quiet this message\n";
}

}  // namespace vtep
