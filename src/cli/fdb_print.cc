#include "cli/fdb_print.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace vtep {

namespace {

// Entries that age have no word.
std::string_view state_word(v1::FdbState state) {
  if (state == v1::FDB_STATE_PERMANENT) return "permanent";
  if (state == v1::FDB_STATE_STATIC) return "static";
  return "";
}

}  // namespace

std::string fdb_text(const v1::FdbEntry& entry, const Format& format, FdbForm form) {
  std::string text = entry.mac() + ' ';
  const auto end = std::back_inserter(text);
  if (form == FdbForm::kWithDevice) fmt::format_to(end, "dev {} ", entry.dev());
  if (!entry.dst().empty()) fmt::format_to(end, "dst {} ", entry.dst());
  if (entry.port() != 0) fmt::format_to(end, "port {} ", entry.port());
  if (entry.has_vni()) fmt::format_to(end, "vni {} ", entry.vni());
  if (!entry.via().empty()) fmt::format_to(end, "via {} ", entry.via());
  if (format.statistics > 0) fmt::format_to(end, "used {}/{} ", entry.used(), entry.updated());
  fmt::format_to(end, "self {}\n", state_word(entry.state()));
  return text;
}

Json fdb_json(const v1::FdbEntry& entry, const Format& format, FdbForm form) {
  Json json = {{"mac", entry.mac()}};
  if (form == FdbForm::kWithDevice) json["ifname"] = entry.dev();
  if (!entry.dst().empty()) json["dst"] = entry.dst();
  if (entry.port() != 0) json["port"] = entry.port();
  if (entry.has_vni()) json["vni"] = entry.vni();
  if (!entry.via().empty()) json["viaIf"] = entry.via();
  if (format.statistics > 0) {
    json["used"] = entry.used();
    json["updated"] = entry.updated();
  }
  json["flags"] = Json::array({"self"});
  json["state"] = state_word(entry.state());
  return json;
}

}  // namespace vtep
