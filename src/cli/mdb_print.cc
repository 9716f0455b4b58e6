#include "cli/mdb_print.h"

#include <fmt/format.h>

#include <iterator>

namespace vtep {

namespace {

std::string_view state_of(const v1::MdbEntry& entry) {
  return entry.permanent() ? "permanent" : "temp";
}

// An entry with a source is for that one, an entry without for all (RFC 3376 section 4.2.12).
std::string_view filter_mode_of(const v1::MdbEntry& entry) {
  return entry.source().empty() ? "exclude" : "include";
}

// rtnetlink's words for "by request" and "by the system itself".
std::string_view protocol_of(const v1::MdbEntry& entry) {
  return entry.permanent() ? "static" : "kernel";
}

// iproute2's form of a timer, whose parts of a second are not known here.
std::string timer_of(const v1::MdbEntry& entry) {
  return fmt::format("{:>4}.00", entry.expires());
}

}  // namespace

std::string mdb_text(const v1::MdbEntry& entry, const Format& format) {
  std::string text = fmt::format("dev {0} port {0} grp {1}", entry.dev(), entry.group());
  const auto end = std::back_inserter(text);
  if (!entry.source().empty()) fmt::format_to(end, " src {}", entry.source());
  fmt::format_to(end, " {}", state_of(entry));
  if (format.details > 0)
    fmt::format_to(end, " filter_mode {} proto {}", filter_mode_of(entry), protocol_of(entry));
  if (!entry.dst().empty()) fmt::format_to(end, " dst {}", entry.dst());
  if (entry.port() != 0) fmt::format_to(end, " dst_port {}", entry.port());
  if (entry.has_vni()) fmt::format_to(end, " vni {}", entry.vni());
  if (entry.has_src_vni()) fmt::format_to(end, " src_vni {}", entry.src_vni());
  if (!entry.via().empty()) fmt::format_to(end, " via {}", entry.via());
  if (format.statistics > 0) fmt::format_to(end, " {}", timer_of(entry));
  return text + '\n';
}

Json mdb_entry_json(const v1::MdbEntry& entry, const Format& format) {
  Json json = {{"dev", entry.dev()}, {"port", entry.dev()}, {"grp", entry.group()}};
  if (!entry.source().empty()) json["src"] = entry.source();
  json["state"] = state_of(entry);
  if (format.details > 0) {
    json["filter_mode"] = filter_mode_of(entry);
    json["protocol"] = protocol_of(entry);
  }
  json["flags"] = Json::array();
  if (!entry.dst().empty()) json["dst"] = entry.dst();
  if (entry.port() != 0) json["dst_port"] = entry.port();
  if (entry.has_vni()) json["vni"] = entry.vni();
  if (entry.has_src_vni()) json["src_vni"] = entry.src_vni();
  if (!entry.via().empty()) json["via"] = entry.via();
  if (format.statistics > 0) json["timer"] = timer_of(entry);
  return json;
}

Json mdb_json(const v1::ListMdbResponse& entries, const Format& format) {
  Json json = {{"mdb", Json::array()}, {"router", Json::object()}};
  for (const v1::MdbEntry& entry : entries.entries()) json["mdb"].push_back(mdb_entry_json(entry, format));
  return json;
}

}  // namespace vtep
