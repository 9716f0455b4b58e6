#include "cli/drop_print.h"

#include <fmt/format.h>

#include <algorithm>

namespace vtep {

namespace {

std::string heading(const v1::DropCount& drop) {
  if (!drop.dev().empty()) return fmt::format("{}:\n", drop.dev());
  if (drop.dstport() != 0) return fmt::format("no link, dstport {}:\n", drop.dstport());
  return "no link:\n";
}

}  // namespace

std::string drops_text(const v1::ListDropsResponse& drops, bool with_zero) {
  const auto is_shown = [with_zero](const v1::DropCount& drop) { return with_zero || drop.count() != 0; };
  std::size_t name_width = 0;
  std::size_t count_width = 0;
  for (const v1::DropCount& drop : drops.drops()) {
    if (!is_shown(drop)) continue;
    name_width = std::max(name_width, drop.name().size());
    count_width = std::max(count_width, std::to_string(drop.count()).size());
  }
  std::string text;
  std::string last_heading;
  for (const v1::DropCount& drop : drops.drops()) {
    if (!is_shown(drop)) continue;
    if (const std::string head = heading(drop); head != last_heading) {
      text += head;
      last_heading = head;
    }
    text += fmt::format("    {:<{}} {:>{}}  {}\n", drop.name(), name_width, drop.count(), count_width,
                        drop.description());
  }
  return text;
}

Json drop_json(const v1::DropCount& drop) {
  Json json = Json::object();
  if (!drop.dev().empty()) json["ifname"] = drop.dev();
  if (drop.dev().empty() && drop.dstport() != 0) json["port"] = drop.dstport();
  json["name"] = drop.name();
  json["count"] = drop.count();
  json["description"] = drop.description();
  return json;
}

}  // namespace vtep
