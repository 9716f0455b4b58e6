#include "cli/neighbour_grammar.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

// `ip neigh` has these for the kernel's own table.
constexpr std::string_view kForeignWords[] = {"proxy", "protocol", "use", "managed", "extern_learn", "vrf"};

// True if the word was one that stands in every `neigh` command, or one that stands in none of vtep's.
bool read_common(Words& words, std::string& dev) {
  if (words.take_word("dev")) {
    words.once("dev");
    dev = read_name(words, "dev");
  } else if (const auto it = std::ranges::find(kForeignWords, words.peek()); it != std::end(kForeignWords)) {
    words.fail(fmt::format("vtep does not support '{}': its table is for answering in the overlay", *it));
  } else {
    return false;
  }
  return true;
}

void read_ip(Words& words, std::string& ip) {
  if (words.take_abbreviation("help")) return words.help(kNeighbourUsage);
  words.take_word("to");
  if (!ip.empty()) {
    return words.fail(fmt::format("'{}' makes no sense here: the address is {} already", words.peek(), ip));
  }
  ip = read_unicast(words, "to").to_string();
}

void read_lladdr(Words& words, v1::Neighbour& neighbour) {
  words.once("lladdr");
  const MacAddr mac = read_mac(words, "lladdr");
  if (!words.failed() && !mac.is_unicast()) {
    return words.fail(fmt::format("'lladdr {}' makes no sense: it is no unicast address", mac.to_string()));
  }
  neighbour.set_mac(mac.to_string());
}

void check(Words& words, const v1::NeighbourChange& change) {
  const v1::Neighbour& neighbour = change.neighbour();
  if (neighbour.ip().empty()) return words.fail("the IP address is missing");
  if (neighbour.dev().empty()) return words.fail("the link is missing: say 'dev DEV'");
  if (change.operation() != v1::CHANGE_DELETE && neighbour.mac().empty()) {
    return words.fail("the MAC address is missing: say 'lladdr MAC'");
  }
}

}  // namespace

Parsed<v1::NeighbourChange> parse_neighbour_change(v1::ChangeOperation operation, Words& words) {
  v1::NeighbourChange change;
  change.set_operation(operation);
  v1::Neighbour& neighbour = *change.mutable_neighbour();
  while (!words.done()) {
    if (read_common(words, *neighbour.mutable_dev())) continue;
    if (words.take_word("lladdr")) {
      read_lladdr(words, neighbour);
    } else if (words.take_word("router")) {
      words.once("router");
      neighbour.set_router(true);
    } else if (words.take_word("src_vni")) {
      words.once("src_vni");
      neighbour.set_src_vni(read_vni(words, "src_vni"));
    } else if (words.take_word("nud")) {
      words.once("nud");
      const std::string_view state = words.value_of("nud");
      if (state != "permanent")
        words.fail(fmt::format("'nud {}' makes no sense: what a person sets is permanent", state));
    } else {
      read_ip(words, *neighbour.mutable_ip());
    }
  }
  if (operation != v1::CHANGE_DELETE) neighbour.set_permanent(true);
  check(words, change);
  return words.parsed(std::move(change));
}

Parsed<NeighbourShow> parse_neighbour_show(Words& words) {
  NeighbourShow show;
  while (!words.done()) {
    if (!read_common(words, show.dev)) read_ip(words, show.ip);
  }
  return words.parsed(std::move(show));
}

}  // namespace vtep
