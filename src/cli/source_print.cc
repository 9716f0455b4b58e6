#include "cli/source_print.h"

#include <fmt/format.h>

#include "cli/duration.h"

namespace vtep {

std::string source_text(const v1::Source& source, const Format& format) {
  std::string text =
      fmt::format("{}: {} for {}, {}", source.name(), source.connected() ? "connected" : "not connected",
                  duration_text(source.since()), source.state());
  if (!source.dev().empty()) text += fmt::format(", dev {}", source.dev());
  text += fmt::format("\n    facts {} said {} withdrawn {} held {} refused {}", source.facts(), source.said(),
                      source.withdrawn(), source.held(), source.refused());
  if (source.has_changed()) text += fmt::format(" changed {} ago", duration_text(source.changed()));
  text += '\n';
  if (!source.last_error().empty()) {
    text +=
        fmt::format("    last error {} ago: {}\n", duration_text(source.error_ago()), source.last_error());
  }
  if (format.details == 0) return text;
  for (const v1::Source::Refusal& refusal : source.refusals()) {
    text += fmt::format("    refused {}: {}\n", refusal.name(), refusal.reason());
  }
  return text;
}

Json source_json(const v1::Source& source, const Format& format) {
  Json json = {
      {"name", source.name()},           {"connected", source.connected()}, {"since", source.since()},
      {"state", source.state()},         {"facts", source.facts()},         {"said", source.said()},
      {"withdrawn", source.withdrawn()}, {"held", source.held()},           {"refused", source.refused()}};
  if (!source.dev().empty()) json["ifname"] = source.dev();
  if (source.has_changed()) json["changed"] = source.changed();
  if (!source.last_error().empty()) {
    json["last_error"] = source.last_error();
    json["error_ago"] = source.error_ago();
  }
  if (format.details == 0) return json;
  Json& refusals = json["refusals"] = Json::array();
  for (const v1::Source::Refusal& refusal : source.refusals()) {
    refusals.push_back({{"name", refusal.name()}, {"reason", refusal.reason()}});
  }
  return json;
}

}  // namespace vtep
