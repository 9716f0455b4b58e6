#include "cli/fdb_grammar.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

// `bridge fdb` has these for the tables of other devices.
constexpr std::string_view kForeignWords[] = {"master",
                                              "use",
                                              "extern_learn",
                                              "sticky",
                                              "vlan",
                                              "br",
                                              "activity_notify",
                                              "inactive",
                                              "norefresh",
                                              "nosticky",
                                              "offloaded",
                                              "nooffloaded",
                                              "added_by_user",
                                              "noadded_by_user",
                                              "noextern_learn"};

// True if the word was one that stands in every `fdb` command, or one that stands in none of vtep's.
bool read_common(Words& words, std::string& dev) {
  if (words.take_word("dev") || words.take_word("brport")) {
    words.once("dev");
    dev = read_name(words, "dev");
    return true;
  }
  if (words.take_word("self")) return true;  // there is no other table
  if (const auto it = std::ranges::find(kForeignWords, words.peek()); it != std::end(kForeignWords)) {
    words.fail(fmt::format("vtep does not support '{}': its table is that of a vxlan interface itself", *it));
    return true;
  }
  return false;
}

// The remote half of an entry, the same for changes and for flush.
template <typename Remote>
bool read_remote(Words& words, Remote& remote) {
  if (words.take_word("dst")) {
    words.once("dst");
    remote.set_dst(read_address(words, "dst").to_string());
  } else if (words.take_word("port")) {
    words.once("port");
    if (const std::uint32_t port = read_port(words, "port"); port != 0) remote.set_port(port);
  } else if (words.take_word("vni")) {
    words.once("vni");
    remote.set_vni(read_vni(words, "vni"));
  } else if (words.take_word("via")) {
    words.once("via");
    remote.set_via(read_name(words, "via"));
  } else if (words.take_word("nhid")) {
    words.once("nhid");
    remote.set_nhid(read_nexthop_id(words, "nhid"));
  } else if (words.take_word("src_vni")) {
    words.once("src_vni");
    remote.set_src_vni(read_vni(words, "src_vni"));
  } else {
    return false;
  }
  return true;
}

bool has_remote(const v1::FdbEntry& entry) {
  return !entry.dst().empty() || entry.port() != 0 || entry.has_vni() || !entry.via().empty();
}

void read_lladdr(Words& words, std::string& mac) {
  if (words.take_abbreviation("help")) return words.help(kFdbUsage);
  words.take_word("to");
  if (!mac.empty()) {
    return words.fail(
        fmt::format("'{}' makes no sense here: the MAC address is {} already", words.peek(), mac));
  }
  mac = read_mac(words, "to").to_string();
}

bool read_state(Words& words, v1::FdbState& state) {
  if (words.take_abbreviation("local") || words.take_abbreviation("permanent")) {
    state = v1::FDB_STATE_PERMANENT;
  } else if (words.take_abbreviation("temp") || words.take_abbreviation("static")) {
    state = v1::FDB_STATE_STATIC;
  } else if (words.take_abbreviation("dynamic")) {
    state = v1::FDB_STATE_DYNAMIC;
  } else {
    return false;
  }
  words.once("permanent, static or dynamic");
  return true;
}

void check_complete(Words& words, const v1::FdbChange& change) {
  const v1::FdbEntry& entry = change.entry();
  if (entry.mac().empty()) return words.fail("the MAC address is missing");
  if (entry.dev().empty()) return words.fail("the link is missing: say 'dev DEV'");
  if (entry.nhid() != 0 && has_remote(entry)) {
    return words.fail("'nhid' excludes 'dst', 'port', 'vni' and 'via': the nexthops say where to");
  }
  const MacAddr mac = MacAddr::parse(entry.mac()).value_or(MacAddr());
  if (change.operation() == v1::FdbChange::OPERATION_DELETE) return;
  if (entry.dst().empty() && entry.nhid() == 0) {
    return words.fail("the remote VTEP is missing: say 'dst IP' or 'nhid ID'");
  }
  if (change.operation() == v1::FdbChange::OPERATION_APPEND && mac.is_unicast()) {
    words.fail(
        fmt::format("{} is behind one VTEP only: use 'replace' to move it; 'append' is for 00:00:00:00:00:00 "
                    "and multicast addresses",
                    entry.mac()));
  }
}

}  // namespace

std::optional<v1::FdbChange::Operation> take_fdb_operation(Words& words) {
  if (words.take_abbreviation("add")) return v1::FdbChange::OPERATION_ADD;
  if (words.take_abbreviation("append")) return v1::FdbChange::OPERATION_APPEND;
  if (words.take_abbreviation("replace")) return v1::FdbChange::OPERATION_REPLACE;
  if (words.take_abbreviation("delete")) return v1::FdbChange::OPERATION_DELETE;
  return std::nullopt;
}

Parsed<v1::FdbChange> parse_fdb_change(v1::FdbChange::Operation operation, Words& words) {
  v1::FdbChange change;
  change.set_operation(operation);
  v1::FdbEntry& entry = *change.mutable_entry();
  v1::FdbState state = v1::FDB_STATE_UNSPECIFIED;
  while (!words.done()) {
    if (read_common(words, *entry.mutable_dev()) || read_remote(words, entry) || read_state(words, state))
      continue;
    if (words.take_word("router")) {
      words.once("router");
      entry.set_router(true);
      continue;
    }
    read_lladdr(words, *entry.mutable_mac());
  }
  entry.set_state(state);
  check_complete(words, change);
  return words.parsed(std::move(change));
}

bool FdbShow::shows(const v1::FdbEntry& entry) const {
  if (dynamic && entry.state() == v1::FDB_STATE_PERMANENT) return false;
  return states.empty() || std::ranges::find(states, entry.state()) != states.end();
}

Parsed<FdbShow> parse_fdb_show(Words& words) {
  FdbShow show;
  bool all = false;
  while (!words.done()) {
    v1::FdbState state = v1::FDB_STATE_UNSPECIFIED;
    if (read_common(words, show.dev)) continue;
    if (words.take_word("dynamic")) {
      show.dynamic = true;
    } else if (!words.take_word("state")) {
      if (words.take_abbreviation("help")) {
        words.help(kFdbUsage);
      } else {
        words.fail(fmt::format("'{}' makes no sense to 'fdb show': see 'vtep fdb help'", words.peek()));
      }
    } else if (words.take_word("all")) {
      all = true;
    } else if (words.take_abbreviation("permanent")) {
      state = v1::FDB_STATE_PERMANENT;
    } else if (words.take_abbreviation("static") || words.take_abbreviation("temp")) {
      state = v1::FDB_STATE_STATIC;
    } else if (words.take_abbreviation("dynamic") || words.take_abbreviation("reachable")) {
      state = v1::FDB_STATE_DYNAMIC;
    } else {
      words.fail("'state' is one of permanent, static, dynamic and all");
    }
    if (state != v1::FDB_STATE_UNSPECIFIED) show.states.push_back(state);
  }
  if (all) show.states.clear();
  return words.parsed(std::move(show));
}

bool FdbGet::is(const v1::FdbEntry& entry) const {
  if (src_vni && entry.src_vni() != *src_vni) return false;
  return !vni || !entry.has_vni() || entry.vni() == *vni;
}

Parsed<FdbGet> parse_fdb_get(Words& words) {
  FdbGet get;
  while (!words.done()) {
    if (read_common(words, get.dev)) continue;
    if (words.take_word("vni")) {
      words.once("vni");
      get.vni = read_vni(words, "vni");
    } else if (words.take_word("src_vni")) {
      words.once("src_vni");
      get.src_vni = read_vni(words, "src_vni");
    } else {
      read_lladdr(words, get.mac);
    }
  }
  if (get.mac.empty()) words.fail("the MAC address is missing");
  if (get.dev.empty()) words.fail("the link is missing: say 'dev DEV'");
  return words.parsed(std::move(get));
}

Parsed<v1::FlushFdbRequest> parse_fdb_flush(Words& words) {
  struct StateWord {
    std::string_view word;
    v1::FdbState state;
  };
  static constexpr StateWord kStates[] = {{"permanent", v1::FDB_STATE_PERMANENT},
                                          {"static", v1::FDB_STATE_STATIC},
                                          {"dynamic", v1::FDB_STATE_DYNAMIC}};
  v1::FlushFdbRequest request;
  std::vector<v1::FdbState> wanted, unwanted;
  const auto read_states = [&] {
    for (const auto& [word, state] : kStates) {
      if (words.take_word(word)) return wanted.push_back(state), true;
      if (words.peek().starts_with("no") && words.peek().substr(2) == word) {
        words.take();
        // Permanent entries do not age either: to iproute2 they are static, too.
        if (state == v1::FDB_STATE_STATIC) unwanted.push_back(v1::FDB_STATE_PERMANENT);
        return unwanted.push_back(state), true;
      }
    }
    return false;
  };
  while (!words.done()) {
    if (read_common(words, *request.mutable_dev()) || read_remote(words, request) || read_states()) continue;
    const bool is_router = words.peek() == "router";
    if (is_router || words.peek() == "norouter") {
      words.take();
      words.once("router");
      request.set_router(is_router);
    } else if (words.take_abbreviation("help")) {
      words.help(kFdbUsage);
    } else {
      words.fail(fmt::format("'{}' makes no sense to 'fdb flush': see 'vtep fdb help'", words.peek()));
    }
  }
  if (request.dev().empty()) words.fail("the link is missing: say 'dev DEV'");
  if (wanted.empty() && unwanted.empty()) return words.parsed(std::move(request));
  for (const auto& [word, state] : kStates) {
    const bool is_wanted = wanted.empty() || std::ranges::find(wanted, state) != wanted.end();
    if (is_wanted && std::ranges::find(unwanted, state) == unwanted.end()) request.add_states(state);
  }
  if (request.states().empty()) words.fail("no entry is in all of these states: nothing would be flushed");
  return words.parsed(std::move(request));
}

}  // namespace vtep
