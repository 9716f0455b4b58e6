#include "cli/vxlan_grammar.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string>

#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

struct Options {
  v1::LinkSpec& spec;
  std::optional<IpAddr> far;  // group or remote
};

void check_family(Words& words, const std::optional<IpAddr>& far, const std::optional<IpAddr>& local) {
  if (far && local && far->is_v4() != local->is_v4()) {
    words.fail(fmt::format("{} and {} are of different families: a link is IPv4 or IPv6", far->to_string(),
                           local->to_string()));
  }
}

void read_id(Words& words, Options& options) {
  words.once("id");
  options.spec.set_id(read_vni(words, "id"));
}

void read_far_group(Words& words, Options& options) {
  if (options.spec.has_remote()) words.fail("'group' and 'remote' exclude each other");
  words.once("group");
  options.far = read_group(words, "group");
  options.spec.set_group(options.far->to_string());
}

void read_far_remote(Words& words, Options& options) {
  if (options.spec.has_group()) words.fail("'group' and 'remote' exclude each other");
  words.once("remote");
  options.far = read_unicast(words, "remote");
  options.spec.set_remote(options.far->to_string());
}

void read_local(Words& words, Options& options) {
  words.once("local");
  options.spec.set_local(read_unicast(words, "local").to_string());
}

void read_dev(Words& words, Options& options) {
  words.once("dev");
  options.spec.set_dev(read_name(words, "dev"));
}

void read_ttl(Words& words, Options& options) {
  words.once("ttl");
  if (words.take_word("auto")) {
    options.spec.set_ttl(0);
  } else if (words.peek() == "inherit") {
    words.fail("vtep does not support 'ttl inherit' yet");
  } else {
    options.spec.set_ttl(read_number(words, "ttl", 255, "'auto' or a number from 0 to 255"));
  }
}

void read_ageing(Words& words, Options& options) {
  words.once("ageing");
  if (words.take_word("none")) {
    options.spec.set_ageing(0);
  } else {
    options.spec.set_ageing(read_number(words, "ageing", std::numeric_limits<std::uint32_t>::max(),
                                        "'none' or a number of seconds"));
  }
}

void read_srcport(Words& words, Options& options) {
  words.once("srcport");
  const std::uint32_t low = read_port(words, "srcport");
  const std::uint32_t high = read_port(words, "srcport");
  if (low > high)
    words.fail(fmt::format("'srcport {} {}' makes no sense: the lower port comes first", low, high));
  options.spec.set_srcport_min(low);
  options.spec.set_srcport_max(high);
}

void read_dstport(Words& words, Options& options) {
  words.once("dstport");
  options.spec.set_dstport(read_port(words, "dstport"));
}

void read_learning(Words& words, Options& options) {
  words.once("learning");
  options.spec.set_learning(true);
}

void read_nolearning(Words& words, Options& options) {
  words.once("learning");
  options.spec.set_learning(false);
}

struct Option {
  std::string_view word;
  void (*read)(Words&, Options&);  // null: iproute2 has it and vtep has not
};

// iproute2's order: it decides what a shortened word means.
constexpr Option kOptions[] = {
    {"id", read_id},
    {"vni", read_id},
    {"group", read_far_group},
    {"remote", read_far_remote},
    {"local", read_local},
    {"dev", read_dev},
    {"ttl", read_ttl},
    {"hoplimit", read_ttl},
    {"tos", nullptr},
    {"dsfield", nullptr},
    {"df", nullptr},
    {"label", nullptr},
    {"flowlabel", nullptr},
    {"ageing", read_ageing},
    {"maxaddress", nullptr},
    {"port", read_srcport},
    {"srcport", read_srcport},
    {"dstport", read_dstport},
    {"nolearning", read_nolearning},
    {"learning", read_learning},
    {"noproxy", nullptr},
    {"proxy", nullptr},
    {"norsc", nullptr},
    {"rsc", nullptr},
    {"nol2miss", nullptr},
    {"l2miss", nullptr},
    {"nol3miss", nullptr},
    {"l3miss", nullptr},
    {"udpcsum", nullptr},
    {"noudpcsum", nullptr},
    {"udp6zerocsumtx", nullptr},
    {"noudp6zerocsumtx", nullptr},
    {"udp6zerocsumrx", nullptr},
    {"noudp6zerocsumrx", nullptr},
    {"remcsumtx", nullptr},
    {"noremcsumtx", nullptr},
    {"remcsumrx", nullptr},
    {"noremcsumrx", nullptr},
    {"localbypass", nullptr},
    {"nolocalbypass", nullptr},
    {"reserved_bits", nullptr},
    {"external", nullptr},
    {"noexternal", nullptr},
    {"gbp", nullptr},
    {"gpe", nullptr},
    {"vnifilter", nullptr},
    {"novnifilter", nullptr},
    {"mcroute", nullptr},
    {"nomcroute", nullptr},
};

void read_option(Words& words, Options& options) {
  for (const Option& option : kOptions) {
    if (!words.take_abbreviation(option.word)) continue;
    if (option.read == nullptr) return words.fail(fmt::format("vtep does not support '{}' yet", option.word));
    return option.read(words, options);
  }
  if (words.take_abbreviation("help")) return words.help(kVxlanUsage);
  words.fail(fmt::format("'{}' is no option of type vxlan: see 'vtep link help'", words.peek()));
}

}  // namespace

void read_vxlan(Words& words, bool is_new, v1::LinkSpec& spec) {
  Options options{spec, std::nullopt};
  while (!words.done()) read_option(words, options);
  if (words.failed()) return;

  if (spec.has_local()) check_family(words, options.far, IpAddr::parse(spec.local()));
  if (!is_new) return;
  if (!spec.has_id()) words.fail("the VNI is missing: say 'id VNI'");
  if (spec.has_group() && !spec.has_dev()) words.fail("'group' needs the underlay device: say 'dev DEV'");
}

}  // namespace vtep
