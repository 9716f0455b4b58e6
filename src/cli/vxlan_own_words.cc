#include "cli/vxlan_own_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "cli/values.h"

namespace vtep {

namespace {

constexpr std::uint32_t kMaxUint32 = std::numeric_limits<std::uint32_t>::max();

void read_vlan(Words& words, v1::LinkSpec& spec) {
  words.once("vlan");
  const std::string_view word = words.value_of("vlan");
  if (word == "strip") {
    spec.set_vlan(v1::VLAN_STRIP);
  } else if (word == "allow") {
    spec.set_vlan(v1::VLAN_ALLOW);
  } else if (word == "discard") {
    spec.set_vlan(v1::VLAN_DISCARD);
  } else {
    words.fail(fmt::format("'vlan {}' makes no sense: 'strip', 'allow' or 'discard' is expected", word));
  }
}

std::uint32_t read_rate(Words& words, std::string_view kind) {
  words.once(kind);
  if (words.take_word("none")) return 0;
  return read_number(words, kind, kMaxUint32, "'none' or a number of frames a second");
}

void read_limit(Words& words, v1::LinkSpec& spec) {
  const std::string_view kind = words.value_of("limit");
  if (kind == "broadcast") {
    spec.set_limit_broadcast(read_rate(words, "limit broadcast"));
  } else if (kind == "unknown") {
    spec.set_limit_unknown(read_rate(words, "limit unknown"));
  } else if (kind == "multicast") {
    spec.set_limit_multicast(read_rate(words, "limit multicast"));
  } else {
    words.fail(
        fmt::format("'limit {}' makes no sense: 'broadcast', 'unknown' or 'multicast' is expected", kind));
  }
}

void read_moves(Words& words, v1::LinkSpec& spec) {
  words.once("moves");
  if (words.take_word("none")) return spec.set_move_limit(0);
  spec.set_move_limit(read_number(words, "moves", kMaxUint32, "'none' or a number of moves"));
  const std::uint32_t seconds =
      read_number(words, "moves", kMaxUint32, "a number of seconds behind the moves");
  if (!words.failed() && seconds == 0) words.fail("'moves' needs a window of at least one second");
  spec.set_move_window(seconds);
}

// `none` empties the list and is not one of several.
void read_prefixes(Words& words, std::string_view keyword, bool is_again, v1::PrefixList& list) {
  const bool was_none = is_again && list.prefixes().empty();
  const bool is_none = words.take_word("none");
  if (was_none || (is_none && is_again)) {
    return words.fail(fmt::format("'{} none' means no prefix: it stands alone", keyword));
  }
  if (!is_none) list.add_prefixes(read_prefix(words, keyword).to_string());
}

// `none` empties the list. Which names there are, the daemon knows.
void read_control(Words& words, v1::NameList& list) {
  if (words.take_word("none")) return;
  std::string_view left = words.value_of("control");
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find(','));
    left.remove_prefix(std::min(name.size() + 1, left.size()));
    if (!name.empty()) list.add_names(std::string(name));
  }
}

void read_datapath(Words& words, v1::LinkSpec& spec) {
  words.once("datapath");
  const std::string_view word = words.value_of("datapath");
  if (word != "user" && word != "kernel")
    return words.fail(fmt::format("'datapath {}' makes no sense: 'user' or 'kernel' is expected", word));
  spec.set_datapath(word == "kernel" ? v1::DATAPATH_KERNEL : v1::DATAPATH_USER);
}

struct Switch {
  std::string_view word;
  std::string_view key;
  void (v1::LinkSpec::*set)(bool);
  bool value;
};

constexpr Switch kSwitches[] = {
    {"mssclamp", "mssclamp", &v1::LinkSpec::set_mss_clamp, true},
    {"nomssclamp", "mssclamp", &v1::LinkSpec::set_mss_clamp, false},
    {"mcsnoop", "mcsnoop", &v1::LinkSpec::set_mcast_snooping, true},
    {"nomcsnoop", "mcsnoop", &v1::LinkSpec::set_mcast_snooping, false},
};

bool read_switch(Words& words, v1::LinkSpec& spec) {
  for (const Switch& option : kSwitches) {
    if (!words.take_word(option.word)) continue;
    words.once(option.key);
    (spec.*option.set)(option.value);
    return true;
  }
  return false;
}

}  // namespace

bool read_own_option(Words& words, v1::LinkSpec& spec) {
  if (words.take_word("vlan")) {
    read_vlan(words, spec);
  } else if (words.take_word("limit")) {
    read_limit(words, spec);
  } else if (words.take_word("moves")) {
    read_moves(words, spec);
  } else if (words.take_word("allow")) {
    const bool is_again = spec.has_allow();
    read_prefixes(words, "allow", is_again, *spec.mutable_allow());
  } else if (words.take_word("deny")) {
    const bool is_again = spec.has_deny();
    read_prefixes(words, "deny", is_again, *spec.mutable_deny());
  } else if (words.take_word("announce")) {
    const bool is_again = spec.has_announce();
    read_prefixes(words, "announce", is_again, *spec.mutable_announce());
  } else if (words.take_word("accept")) {
    const bool is_again = spec.has_accept();
    read_prefixes(words, "accept", is_again, *spec.mutable_accept());
  } else if (words.take_word("datapath")) {
    read_datapath(words, spec);
  } else if (words.take_word("control")) {
    words.once("control");
    read_control(words, *spec.mutable_control());
  } else {
    return read_switch(words, spec);
  }
  return true;
}

}  // namespace vtep
