#include "cli/vni_grammar.h"

#include <fmt/format.h>

#include "base/vni.h"
#include "cli/ranges.h"
#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

// IEEE 802.1Q reserves 0 and 4095. A link tells its VNIs apart by VLAN, and one may have none.
constexpr std::uint32_t kMaxVlan = 4094;
constexpr std::size_t kMostVnis = kMaxVlan + 1;
constexpr RangeRules kVnis = {0, Vni::kMax, kMostVnis, "a VNI from 0 to 16777215"};
constexpr RangeRules kVlans = {1, kMaxVlan, kMostVnis, "a VLAN from 1 to 4094"};

struct Line {
  v1::VniEntry common;  // what every VNI of the line shares
  std::vector<std::uint32_t> vnis;
  std::vector<std::uint32_t> vlans;
};

void read_word(Words& words, Line& line) {
  if (words.take_word("dev")) {
    words.once("dev");
    line.common.set_dev(read_name(words, "dev"));
  } else if (words.take_word("vni")) {
    words.once("vni");
    line.vnis = read_ranges(words, "vni", kVnis);
  } else if (words.take_word("vlan")) {
    words.once("vlan");
    line.vlans = read_ranges(words, "vlan", kVlans);
  } else if (words.take_word("group")) {
    words.once("group or remote");
    line.common.set_group(read_group(words, "group").to_string());
  } else if (words.take_word("remote")) {
    words.once("group or remote");
    line.common.set_remote(read_unicast(words, "remote").to_string());
  } else if (words.take_abbreviation("help")) {
    words.help(kVniUsage);
  } else {
    words.fail(fmt::format("'{}' makes no sense to 'vni': see 'vtep vni help'", words.peek()));
  }
}

void check(Words& words, v1::ChangeOperation operation, const Line& line) {
  if (line.common.dev().empty()) return words.fail("the link is missing: say 'dev DEV'");
  if (line.vnis.empty()) return words.fail("the VNI is missing: say 'vni VNI'");
  if (!line.vlans.empty() && line.vlans.size() != line.vnis.size()) {
    return words.fail(fmt::format("{} VNIs and {} VLANs do not go together: there must be as many of either",
                                  line.vnis.size(), line.vlans.size()));
  }
  if (operation == v1::CHANGE_ADD && line.vlans.empty() && line.vnis.size() > 1) {
    words.fail("several VNIs are told apart by VLAN: say 'vlan VID-VID' with as many VLANs");
  }
}

}  // namespace

Parsed<std::vector<v1::VniChange>> parse_vni_change(v1::ChangeOperation operation, Words& words) {
  Line line;
  while (!words.done()) read_word(words, line);
  check(words, operation, line);
  std::vector<v1::VniChange> changes;
  if (words.failed()) return words.parsed(std::move(changes));
  for (std::size_t i = 0; i < line.vnis.size(); ++i) {
    v1::VniChange& change = changes.emplace_back();
    change.set_operation(operation);
    *change.mutable_entry() = line.common;
    change.mutable_entry()->set_vni(line.vnis[i]);
    if (!line.vlans.empty()) change.mutable_entry()->set_vlan(line.vlans[i]);
  }
  return changes;
}

Parsed<v1::ListVnisRequest> parse_vni_show(Words& words) {
  v1::ListVnisRequest request;
  request.set_dev(read_show(words, "vni", kVniUsage));
  return words.parsed(std::move(request));
}

}  // namespace vtep
