#include "cli/event_print.h"

#include <fmt/format.h>

#include "cli/fdb_print.h"
#include "cli/link_print.h"
#include "cli/mdb_print.h"
#include "cli/neighbour_print.h"

namespace vtep {

namespace {

// A MAC address was looked for (l2miss), or an IP address (l3miss).
std::string miss_text(const v1::Miss& miss) {
  return fmt::format("miss {} dev {}\n", miss.mac().empty() ? miss.ip() : miss.mac(), miss.dev());
}

// With the keys of an entry of the table in which it was looked for.
Json miss_json(const v1::Miss& miss) {
  if (miss.mac().empty()) return {{"miss", true}, {"dst", miss.ip()}, {"dev", miss.dev()}};
  return {{"miss", true}, {"mac", miss.mac()}, {"ifname", miss.dev()}};
}

std::string plain_text(const v1::Event& event, const Format& format, bool banner) {
  std::string text;
  const std::string_view deleted = event.action() == v1::Event::ACTION_DELETED ? "Deleted " : "";
  switch (event.subject_case()) {
    case v1::Event::kLink:
      text = banner ? "[LINK]" : "";
      return (text += deleted) += link_text(event.link(), format, LinkForm::kMonitor);
    case v1::Event::kFdb:
      text = banner ? "[NEIGH]" : "";
      return (text += deleted) += fdb_text(event.fdb(), format, FdbForm::kWithDevice);
    case v1::Event::kMiss:
      return (banner ? "[NEIGH]" : "") + miss_text(event.miss());
    case v1::Event::kNeighbour:
      text = banner ? "[NEIGH]" : "";
      return (text += deleted) += neighbour_text(event.neighbour(), format, NeighbourForm::kWithDevice);
    case v1::Event::kMdb:
      text = banner ? "[MDB]" : "";
      return (text += deleted) += mdb_text(event.mdb(), format);
    case v1::Event::kLost:
      return fmt::format("{} events were lost\n", event.lost());
    case v1::Event::SUBJECT_NOT_SET:
      break;
  }
  return {};
}

Json json_line(const v1::Event& event, const Format& format) {
  Json json = Json::object();
  if (event.action() == v1::Event::ACTION_DELETED) json["deleted"] = true;
  switch (event.subject_case()) {
    case v1::Event::kLink:
      json.update(link_json(event.link(), format));
      break;
    case v1::Event::kFdb:
      json.update(fdb_json(event.fdb(), format, FdbForm::kWithDevice));
      break;
    case v1::Event::kMiss:
      json.update(miss_json(event.miss()));
      break;
    case v1::Event::kNeighbour:
      json.update(neighbour_json(event.neighbour(), format, NeighbourForm::kWithDevice));
      break;
    case v1::Event::kMdb:
      json.update(mdb_entry_json(event.mdb(), format));
      break;
    case v1::Event::kLost:
      json["lost"] = event.lost();
      break;
    case v1::Event::SUBJECT_NOT_SET:
      break;
  }
  return json;
}

}  // namespace

std::string event_text(const v1::Event& event, const Format& format, bool banner) {
  if (event.subject_case() == v1::Event::SUBJECT_NOT_SET) return {};
  if (!format.json) return plain_text(event, format, banner);
  return render_json(json_line(event, format), false, 0) + '\n';
}

}  // namespace vtep
