#include "cli/neighbour_print.h"

#include <fmt/format.h>

#include <iterator>

namespace vtep {

namespace {

std::string_view state_of(const v1::Neighbour& neighbour) {
  return neighbour.permanent() ? "PERMANENT" : "REACHABLE";
}

}  // namespace

std::string neighbour_text(const v1::Neighbour& neighbour, const Format& format, NeighbourForm form) {
  std::string text = neighbour.ip() + ' ';
  const auto end = std::back_inserter(text);
  if (form == NeighbourForm::kWithDevice) fmt::format_to(end, "dev {} ", neighbour.dev());
  if (!neighbour.mac().empty()) fmt::format_to(end, "lladdr {} ", neighbour.mac());
  if (neighbour.has_src_vni()) fmt::format_to(end, "src_vni {} ", neighbour.src_vni());
  if (neighbour.router()) text += "router ";
  if (neighbour.extern_learn()) text += "extern_learn ";
  if (format.statistics > 0) fmt::format_to(end, "updated {} ", neighbour.updated());
  fmt::format_to(end, "{} \n", state_of(neighbour));
  return text;
}

Json neighbour_json(const v1::Neighbour& neighbour, const Format& format, NeighbourForm form) {
  Json json = {{"dst", neighbour.ip()}};
  if (form == NeighbourForm::kWithDevice) json["dev"] = neighbour.dev();
  if (!neighbour.mac().empty()) json["lladdr"] = neighbour.mac();
  if (neighbour.has_src_vni()) json["src_vni"] = neighbour.src_vni();
  if (neighbour.router()) json["router"] = nullptr;
  if (neighbour.extern_learn()) json["extern_learn"] = nullptr;
  if (format.statistics > 0) json["updated"] = neighbour.updated();
  json["state"] = Json::array({state_of(neighbour)});
  return json;
}

}  // namespace vtep
