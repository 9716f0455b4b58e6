#include "cli/fdb_print.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <vector>

namespace vtep {

namespace {

// Entries that age have no word.
std::string_view state_word(v1::FdbState state) {
  if (state == v1::FDB_STATE_PERMANENT) return "permanent";
  if (state == v1::FDB_STATE_STATIC) return "static";
  return "";
}

std::vector<std::string_view> flags_of(const v1::FdbEntry& entry) {
  std::vector<std::string_view> flags = {"self"};
  if (entry.router()) flags.push_back("router");
  if (entry.extern_learn()) flags.push_back("extern_learn");
  if (entry.frozen()) flags.push_back("frozen");
  return flags;
}

}  // namespace

std::string fdb_text(const v1::FdbEntry& entry, const Format& format, FdbForm form) {
  std::string text = entry.mac() + ' ';
  const auto end = std::back_inserter(text);
  if (form == FdbForm::kWithDevice) fmt::format_to(end, "dev {} ", entry.dev());
  if (!entry.dst().empty()) fmt::format_to(end, "dst {} ", entry.dst());
  if (entry.port() != 0) fmt::format_to(end, "port {} ", entry.port());
  if (entry.has_vni()) fmt::format_to(end, "vni {} ", entry.vni());
  if (entry.has_src_vni()) fmt::format_to(end, "src_vni {} ", entry.src_vni());
  if (!entry.via().empty()) fmt::format_to(end, "via {} ", entry.via());
  if (entry.nhid() != 0) fmt::format_to(end, "nhid {} ", entry.nhid());
  if (format.statistics > 0) fmt::format_to(end, "used {}/{} ", entry.used(), entry.updated());
  for (const std::string_view flag : flags_of(entry)) fmt::format_to(end, "{} ", flag);
  if (format.details && !entry.source().empty()) fmt::format_to(end, "source {} ", entry.source());
  fmt::format_to(end, "{}\n", state_word(entry.state()));
  return text;
}

Json fdb_json(const v1::FdbEntry& entry, const Format& format, FdbForm form) {
  Json json = {{"mac", entry.mac()}};
  if (form == FdbForm::kWithDevice) json["ifname"] = entry.dev();
  if (!entry.dst().empty()) json["dst"] = entry.dst();
  if (entry.port() != 0) json["port"] = entry.port();
  if (entry.has_vni()) json["vni"] = entry.vni();
  if (entry.has_src_vni()) json["src_vni"] = entry.src_vni();
  if (!entry.via().empty()) json["viaIf"] = entry.via();
  if (entry.nhid() != 0) json["nhid"] = entry.nhid();
  if (format.statistics > 0) {
    json["used"] = entry.used();
    json["updated"] = entry.updated();
  }
  json["flags"] = flags_of(entry);
  if (!entry.source().empty()) json["source"] = entry.source();
  json["state"] = state_word(entry.state());
  return json;
}

}  // namespace vtep
