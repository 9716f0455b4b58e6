#include "cli/mdb_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

// `bridge mdb` has these for bridges, or to say several sources in one line.
constexpr std::string_view kForeignWords[] = {"vid", "filter_mode", "source_list", "proto"};

struct Line {
  v1::MdbEntry entry;
  std::string port;
};

// A group, or the unspecified address of either family for every group without an entry of its own.
void read_grp(Words& words, v1::MdbEntry& entry) {
  const std::string_view word = words.value_of("grp");
  if (words.failed()) return;
  const std::optional<IpAddr> group = IpAddr::parse(word);
  if (!group || (!group->is_multicast() && !group->is_unspecified())) {
    return words.fail(fmt::format(
        "'grp {}' makes no sense: a multicast address is expected, or 0.0.0.0 or :: for all the others",
        word));
  }
  entry.set_group(group->to_string());
}

void read_remote_word(Words& words, v1::MdbEntry& entry) {
  if (words.take_word("dst")) {
    words.once("dst");
    entry.set_dst(read_address(words, "dst").to_string());
  } else if (words.take_word("dst_port")) {
    words.once("dst_port");
    entry.set_port(read_port(words, "dst_port"));
  } else if (words.take_word("vni")) {
    words.once("vni");
    entry.set_vni(read_vni(words, "vni"));
  } else if (words.take_word("src_vni")) {
    words.once("src_vni");
    entry.set_src_vni(read_vni(words, "src_vni"));
  } else if (words.take_word("via")) {
    words.once("via");
    entry.set_via(read_name(words, "via"));
  } else if (words.take_abbreviation("help")) {
    words.help(kMdbUsage);
  } else {
    words.fail(fmt::format("'{}' makes no sense to 'mdb': see 'vtep mdb help'", words.peek()));
  }
}

void read_word(Words& words, Line& line) {
  if (words.take_word("dev")) {
    words.once("dev");
    line.entry.set_dev(read_name(words, "dev"));
  } else if (words.take_word("port")) {
    words.once("port");
    line.port = read_name(words, "port");
  } else if (words.take_word("grp")) {
    words.once("grp");
    read_grp(words, line.entry);
  } else if (words.take_word("src")) {
    words.once("src");
    line.entry.set_source(read_unicast(words, "src").to_string());
  } else if (words.take_word("permanent")) {
    // It is, for it was asked for.
  } else if (words.peek() == "temp") {
    words.fail("an entry that is asked for is permanent; the others come from IGMP and MLD");
  } else if (const auto it = std::ranges::find(kForeignWords, words.peek()); it != std::end(kForeignWords)) {
    words.fail(fmt::format("vtep does not support '{}': write one entry a source, with 'src'", *it));
  } else {
    read_remote_word(words, line.entry);
  }
}

void check(Words& words, const Line& line) {
  const v1::MdbEntry& entry = line.entry;
  if (entry.dev().empty()) return words.fail("the link is missing: say 'dev DEV'");
  if (!line.port.empty() && line.port != entry.dev()) {
    return words.fail(
        fmt::format("'port {}' makes no sense: the port is the link itself, {}", line.port, entry.dev()));
  }
  if (entry.group().empty()) return words.fail("the group is missing: say 'grp GROUP'");
  if (entry.dst().empty()) return words.fail("the remote VTEP is missing: say 'dst IP'");
  const std::optional<IpAddr> group = IpAddr::parse(entry.group());
  const std::optional<IpAddr> source = IpAddr::parse(entry.source());
  if (!group || !source) return;
  if (group->is_unspecified()) return words.fail("'src' makes no sense with the group of all the others");
  if (group->is_v4() != source->is_v4()) {
    words.fail(fmt::format("{} and {} are of different families", group->to_string(), source->to_string()));
  }
}

}  // namespace

Parsed<v1::MdbChange> parse_mdb_change(v1::ChangeOperation operation, Words& words) {
  Line line;
  while (!words.done()) read_word(words, line);
  check(words, line);
  v1::MdbChange change;
  change.set_operation(operation);
  if (operation != v1::CHANGE_DELETE) line.entry.set_permanent(true);
  *change.mutable_entry() = std::move(line.entry);
  return words.parsed(std::move(change));
}

Parsed<v1::ListMdbRequest> parse_mdb_show(Words& words) {
  v1::ListMdbRequest request;
  request.set_dev(read_show(words, "mdb", kMdbUsage));
  return words.parsed(std::move(request));
}

}  // namespace vtep
