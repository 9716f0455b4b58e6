#include "cli/vxlan_grammar.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "base/number.h"
#include "cli/dsfield.h"
#include "cli/usage.h"
#include "cli/values.h"
#include "cli/vxlan_check.h"
#include "cli/vxlan_own_words.h"

namespace vtep {

namespace {

constexpr std::uint32_t kMaxFlowLabel = (1U << 20) - 1;  // 20 bits (RFC 8200 section 3)
constexpr std::uint32_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();

void read_id(Words& words, v1::LinkSpec& spec) {
  spec.set_id(read_vni(words, "id"));
}

void read_far_group(Words& words, v1::LinkSpec& spec) {
  if (spec.has_remote()) words.fail("'group' and 'remote' exclude each other");
  spec.set_group(read_group(words, "group").to_string());
}

void read_far_remote(Words& words, v1::LinkSpec& spec) {
  if (spec.has_group()) words.fail("'group' and 'remote' exclude each other");
  spec.set_remote(read_unicast(words, "remote").to_string());
}

// A single address of either family is `local`; of two, the IPv6 one is `local6`.
void read_local(Words& words, v1::LinkSpec& spec) {
  const IpAddr address = read_unicast(words, "local");
  if (words.failed()) return;
  if (!spec.has_local()) return spec.set_local(address.to_string());
  const IpAddr first = IpAddr::parse(spec.local()).value_or(IpAddr());
  if (spec.has_local6() || first.is_v4() == address.is_v4()) {
    return words.fail(
        "'local' is given twice for the same family: once for IPv4 and once for IPv6 is enough");
  }
  spec.set_local((address.is_v4() ? address : first).to_string());
  spec.set_local6((address.is_v4() ? first : address).to_string());
}

void read_dev(Words& words, v1::LinkSpec& spec) {
  spec.set_dev(read_name(words, "dev"));
}

void read_ttl(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("auto")) {
    spec.set_ttl(0);
  } else if (words.take_word("inherit")) {
    spec.set_ttl_inherit(true);
  } else {
    spec.set_ttl(read_number(words, "ttl", 255, "'auto', 'inherit' or a number from 0 to 255"));
  }
}

void read_tos(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("inherit")) return spec.set_tos(kTosInherit);
  const std::string_view word = words.value_of("tos");
  const std::optional<std::uint8_t> tos = parse_dsfield(word);
  if (!tos) {
    words.fail(fmt::format(
        "'tos {}' makes no sense: 'inherit', a name like AF11 or a hexadecimal number from 0 to ff is "
        "expected",
        word));
  }
  spec.set_tos(tos.value_or(0));
}

void read_df(Words& words, v1::LinkSpec& spec) {
  const std::string_view word = words.value_of("df");
  if (word == "unset") {
    spec.set_df(v1::DF_UNSET);
  } else if (word == "set") {
    spec.set_df(v1::DF_SET);
  } else if (word == "inherit") {
    spec.set_df(v1::DF_INHERIT);
  } else {
    words.fail(fmt::format("'df {}' makes no sense: 'unset', 'set' or 'inherit' is expected", word));
  }
}

void read_flow_label(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("inherit")) return spec.set_flow_label_inherit(true);
  spec.set_flow_label(
      read_number(words, "flowlabel", kMaxFlowLabel, "'inherit' or a number from 0 to 1048575"));
}

void read_ageing(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("none")) return spec.set_ageing(0);
  spec.set_ageing(read_number(words, "ageing", kMaxUint32, "'none' or a number of seconds"));
}

void read_max_address(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("unlimited")) return spec.set_max_address(0);
  spec.set_max_address(read_number(words, "maxaddress", kMaxUint32, "'unlimited' or a number of addresses"));
}

void read_srcport(Words& words, v1::LinkSpec& spec) {
  const std::uint32_t low = read_port(words, "srcport");
  const std::uint32_t high = read_port(words, "srcport");
  if (low > high)
    words.fail(fmt::format("'srcport {} {}' makes no sense: the lower port comes first", low, high));
  spec.set_srcport_min(low);
  spec.set_srcport_max(high);
}

void read_dstport(Words& words, v1::LinkSpec& spec) {
  spec.set_dstport(read_port(words, "dstport"));
}

void read_reserved_bits(Words& words, v1::LinkSpec& spec) {
  const std::string_view word = words.value_of("reserved_bits");
  const std::optional<std::uint64_t> bits = parse_number(word, std::numeric_limits<std::uint64_t>::max());
  if (!bits) {
    words.fail(fmt::format(
        "'reserved_bits {}' makes no sense: the header's 64 bits are expected, like 0xf7ffffff000000ff",
        word));
  }
  spec.set_reserved_bits(bits.value_or(0));
}

template <void (v1::LinkSpec::*Set)(bool), bool kValue>
void read_switch(Words& /*words*/, v1::LinkSpec& spec) {
  (spec.*Set)(kValue);
}

void refuse_gpe(Words& words, v1::LinkSpec& /*spec*/) {
  words.fail("vtep cannot do 'gpe': its payload need not be Ethernet, and a TAP carries Ethernet only");
}

void refuse_mcroute(Words& words, v1::LinkSpec& /*spec*/) {
  words.fail(
      "vtep cannot do 'mcroute': routing the encapsulated multicast on this host is the kernel's own path, "
      "which a socket cannot take");
}

// What is not there anyway may be refused without a word.
void read_nothing(Words& /*words*/, v1::LinkSpec& /*spec*/) {}

enum class Spelling { kShort, kWhole };

struct Option {
  std::string_view word;
  std::string_view key;  // what may be said once; empty: the reader looks for itself
  void (*read)(Words&, v1::LinkSpec&);
  Spelling spelling = Spelling::kShort;
};

using S = v1::LinkSpec;

// iproute2's order: it decides what a shortened word means.
constexpr Option kOptions[] = {
    {"id", "id", read_id},
    {"vni", "id", read_id},
    {"group", "group", read_far_group},
    {"remote", "remote", read_far_remote},
    {"local", "", read_local},
    {"dev", "dev", read_dev},
    {"ttl", "ttl", read_ttl},
    {"hoplimit", "ttl", read_ttl},
    {"tos", "tos", read_tos},
    {"dsfield", "tos", read_tos},
    {"df", "df", read_df},
    {"label", "flowlabel", read_flow_label},
    {"flowlabel", "flowlabel", read_flow_label},
    {"ageing", "ageing", read_ageing},
    {"maxaddress", "maxaddress", read_max_address},
    {"port", "srcport", read_srcport},
    {"srcport", "srcport", read_srcport},
    {"dstport", "dstport", read_dstport},
    {"nolearning", "learning", read_switch<&S::set_learning, false>},
    {"learning", "learning", read_switch<&S::set_learning, true>},
    {"noproxy", "proxy", read_switch<&S::set_proxy, false>},
    {"proxy", "proxy", read_switch<&S::set_proxy, true>},
    {"norsc", "rsc", read_switch<&S::set_rsc, false>},
    {"rsc", "rsc", read_switch<&S::set_rsc, true>},
    {"nol2miss", "l2miss", read_switch<&S::set_l2miss, false>},
    {"l2miss", "l2miss", read_switch<&S::set_l2miss, true>},
    {"nol3miss", "l3miss", read_switch<&S::set_l3miss, false>},
    {"l3miss", "l3miss", read_switch<&S::set_l3miss, true>},
    {"udpcsum", "udpcsum", read_switch<&S::set_udp_csum, true>},
    {"noudpcsum", "udpcsum", read_switch<&S::set_udp_csum, false>},
    {"udp6zerocsumtx", "udp6zerocsumtx", read_switch<&S::set_udp6_zero_csum_tx, true>},
    {"noudp6zerocsumtx", "udp6zerocsumtx", read_switch<&S::set_udp6_zero_csum_tx, false>},
    {"udp6zerocsumrx", "udp6zerocsumrx", read_switch<&S::set_udp6_zero_csum_rx, true>},
    {"noudp6zerocsumrx", "udp6zerocsumrx", read_switch<&S::set_udp6_zero_csum_rx, false>},
    {"remcsumtx", "remcsumtx", read_switch<&S::set_remcsum_tx, true>},
    {"noremcsumtx", "remcsumtx", read_switch<&S::set_remcsum_tx, false>},
    {"remcsumrx", "remcsumrx", read_switch<&S::set_remcsum_rx, true>},
    {"noremcsumrx", "remcsumrx", read_switch<&S::set_remcsum_rx, false>},
    {"localbypass", "localbypass", read_switch<&S::set_localbypass, true>, Spelling::kWhole},
    {"nolocalbypass", "localbypass", read_switch<&S::set_localbypass, false>, Spelling::kWhole},
    {"reserved_bits", "reserved_bits", read_reserved_bits, Spelling::kWhole},
    {"external", "external", read_switch<&S::set_external, true>},
    {"noexternal", "external", read_switch<&S::set_external, false>},
    {"gbp", "gbp", read_switch<&S::set_gbp, true>},
    {"gpe", "gpe", refuse_gpe},
    {"vnifilter", "vnifilter", read_switch<&S::set_vnifilter, true>, Spelling::kWhole},
    {"novnifilter", "vnifilter", read_switch<&S::set_vnifilter, false>, Spelling::kWhole},
    {"mcroute", "mcroute", refuse_mcroute, Spelling::kWhole},
    {"nomcroute", "mcroute", read_nothing, Spelling::kWhole},
    // iproute2 has no word that takes gbp back; `link set` needs one.
    {"nogbp", "gbp", read_switch<&S::set_gbp, false>, Spelling::kWhole},
    {"nogpe", "gpe", read_nothing, Spelling::kWhole},
};

bool take(Words& words, const Option& option) {
  return option.spelling == Spelling::kWhole ? words.take_word(option.word)
                                             : words.take_abbreviation(option.word);
}

void read_option(Words& words, v1::LinkSpec& spec) {
  for (const Option& option : kOptions) {
    if (!take(words, option)) continue;
    if (!option.key.empty()) words.once(option.key);
    return option.read(words, spec);
  }
  if (read_own_option(words, spec)) return;
  if (words.take_abbreviation("help")) return words.help(kVxlanUsage);
  words.fail(fmt::format("'{}' is no option of type vxlan: see 'vtep link help'", words.peek()));
}

}  // namespace

void read_vxlan(Words& words, bool is_new, v1::LinkSpec& spec) {
  while (!words.done()) read_option(words, spec);
  if (words.failed()) return;
  if (const std::string trouble = vxlan_contradiction(spec, is_new); !trouble.empty()) {
    return words.fail(trouble);
  }
  // The kernel's default with `external` is not to learn, for its VNIs come from elsewhere.
  if (is_new && spec.external() && !spec.has_learning()) spec.set_learning(false);
}

}  // namespace vtep
