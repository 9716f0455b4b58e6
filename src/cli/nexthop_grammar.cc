#include "cli/nexthop_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "base/number.h"
#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

constexpr std::uint32_t kMaxId = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMaxWeight = 256;  // of the kernel

// `ip nexthop` has these for routes; a remote VTEP is an address and nothing else.
constexpr std::string_view kRouteWords[] = {"dev",  "onlink", "encap",    "blackhole",
                                            "type", "proto",  "protocol", "hw_stats"};

bool read_common(Words& words, std::uint32_t& id) {
  if (words.take_word("id")) {
    words.once("id");
    id = read_nexthop_id(words, "id");
  } else if (words.take_word("fdb")) {
    // There is no other sort.
  } else if (words.take_abbreviation("help")) {
    words.help(kNexthopUsage);
  } else {
    return false;
  }
  return true;
}

std::optional<v1::NexthopMember> parse_member(std::string_view text) {
  const std::size_t comma = text.find(',');
  const auto id = parse_number(text.substr(0, comma), kMaxId);
  const auto weight = comma == std::string_view::npos ? 1 : parse_number(text.substr(comma + 1), kMaxWeight);
  if (!id || *id == 0 || !weight || *weight == 0) return std::nullopt;
  v1::NexthopMember member;
  member.set_id(static_cast<std::uint32_t>(*id));
  member.set_weight(static_cast<std::uint32_t>(*weight));
  return member;
}

void read_members(Words& words, v1::Nexthop& nexthop) {
  const std::string_view word = words.value_of("group");
  std::string_view rest = word;
  bool more = !words.failed();
  while (more) {
    const std::size_t slash = rest.find('/');
    const std::optional<v1::NexthopMember> member = parse_member(rest.substr(0, slash));
    if (!member) {
      return words.fail(fmt::format(
          "'group {}' makes no sense: nexthops with weights from 1 to 256 are expected, like 1/2,5/3", word));
    }
    const auto is_same = [&](const v1::NexthopMember& other) { return other.id() == member->id(); };
    if (std::ranges::any_of(nexthop.members(), is_same)) {
      return words.fail(
          fmt::format("'group {}' has nexthop {} twice: give it a larger weight", word, member->id()));
    }
    *nexthop.add_members() = *member;
    more = slash != std::string_view::npos;
    if (more) rest.remove_prefix(slash + 1);
  }
}

void read_change_word(Words& words, v1::Nexthop& nexthop) {
  if (words.take_word("via")) {
    words.once("via");
    nexthop.set_via(read_unicast(words, "via").to_string());
  } else if (words.take_word("group")) {
    words.once("group");
    read_members(words, nexthop);
  } else if (const auto it = std::ranges::find(kRouteWords, words.peek()); it != std::end(kRouteWords)) {
    words.fail(fmt::format("vtep does not support '{}': its nexthops are remote VTEPs, not routes", *it));
  } else {
    words.fail(fmt::format("'{}' makes no sense to 'nexthop': see 'vtep nexthop help'", words.peek()));
  }
}

void check(Words& words, const v1::NexthopChange& change) {
  const v1::Nexthop& nexthop = change.nexthop();
  if (nexthop.id() == 0) return words.fail("the nexthop's number is missing: say 'id ID'");
  if (!nexthop.via().empty() && !nexthop.members().empty()) {
    return words.fail("'via' and 'group' exclude each other");
  }
  if (change.operation() == v1::CHANGE_DELETE) return;
  if (nexthop.members().empty() && nexthop.via().empty()) {
    words.fail("where to is missing: say 'via IP' or 'group ID/ID'");
  }
  const auto is_same = [&](const v1::NexthopMember& member) { return member.id() == nexthop.id(); };
  if (std::ranges::any_of(nexthop.members(), is_same)) {
    words.fail(fmt::format("group {} cannot be a member of itself", nexthop.id()));
  }
}

}  // namespace

Parsed<v1::NexthopChange> parse_nexthop_change(v1::ChangeOperation operation, Words& words) {
  v1::NexthopChange change;
  change.set_operation(operation);
  v1::Nexthop& nexthop = *change.mutable_nexthop();
  std::uint32_t id = 0;
  while (!words.done()) {
    if (!read_common(words, id)) read_change_word(words, nexthop);
  }
  nexthop.set_id(id);
  check(words, change);
  return words.parsed(std::move(change));
}

Parsed<NexthopShow> parse_nexthop_show(Words& words) {
  NexthopShow show;
  while (!words.done()) {
    if (read_common(words, show.id)) continue;
    if (words.take_abbreviation("groups")) {
      show.groups = true;
    } else {
      words.fail(fmt::format("'{}' makes no sense to 'nexthop show': see 'vtep nexthop help'", words.peek()));
    }
  }
  return words.parsed(show);
}

Parsed<NexthopShow> parse_nexthop_get(Words& words) {
  NexthopShow get;
  while (!words.done()) {
    if (read_common(words, get.id)) continue;
    words.fail(fmt::format("'{}' makes no sense to 'nexthop get': see 'vtep nexthop help'", words.peek()));
  }
  if (get.id == 0) words.fail("the nexthop's number is missing: say 'id ID'");
  return words.parsed(get);
}

}  // namespace vtep
