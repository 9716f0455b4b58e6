#include "cli/vni_print.h"

#include <fmt/format.h>

namespace vtep {

namespace {

constexpr int kNameWidth = 16;  // IFNAMSIZ

// Neighbours in the table that are one line: `first` and `last` are the same for a single VNI.
struct Run {
  const v1::VniEntry* first;
  const v1::VniEntry* last;

  bool is_range() const { return first != last; }
};

bool follows(const v1::VniEntry& entry, const Run& run) {
  const v1::VniEntry& last = *run.last;
  return entry.dev() == last.dev() && entry.vni() == last.vni() + 1 && entry.has_vlan() == last.has_vlan() &&
         (!entry.has_vlan() || entry.vlan() == last.vlan() + 1) && entry.group() == last.group() &&
         entry.remote() == last.remote();
}

std::vector<Run> runs_of(const v1::ListVnisResponse& vnis, const Format& format) {
  std::vector<Run> runs;
  for (const v1::VniEntry& entry : vnis.vnis()) {
    if (format.statistics == 0 && !runs.empty() && follows(entry, runs.back())) {
      runs.back().last = &entry;
    } else {
      runs.push_back({&entry, &entry});
    }
  }
  return runs;
}

std::string vlan_text(const Run& run) {
  if (!run.first->has_vlan()) return {};
  if (!run.is_range()) return fmt::format(" vlan {}", run.first->vlan());
  return fmt::format(" vlan {}-{}", run.first->vlan(), run.last->vlan());
}

std::string run_text(const Run& run) {
  // iproute2's columns: a range is wider than a single VNI.
  std::string text = run.is_range() ? fmt::format(" {}-{:<14} ", run.first->vni(), run.last->vni())
                                    : fmt::format(" {:<14}", run.first->vni());
  if (run.first->has_group()) text += ' ' + run.first->group();
  if (run.first->has_remote()) text += ' ' + run.first->remote();
  return text + vlan_text(run);
}

std::string counters_text(const v1::LinkCounters& counters) {
  const std::string margin(kNameWidth + 3, ' ');
  return fmt::format("{0}RX: bytes {1} pkts {2} \n{0}TX: bytes {3} pkts {4} \n{0}drops {5} \n", margin,
                     counters.decapsulated_bytes(), counters.decapsulated_frames(),
                     counters.encapsulated_bytes(), counters.encapsulated_frames(), counters.dropped());
}

Json run_json(const Run& run, const Format& format) {
  const v1::VniEntry& entry = *run.first;
  Json json = {{"vni", entry.vni()}};
  if (run.is_range()) json["vniEnd"] = run.last->vni();
  if (entry.has_group()) json["group"] = entry.group();
  if (entry.has_remote()) json["remote"] = entry.remote();
  if (entry.has_vlan()) json["vlan"] = entry.vlan();
  if (entry.has_vlan() && run.is_range()) json["vlanEnd"] = run.last->vlan();
  if (format.statistics > 0) {
    const v1::LinkCounters& counters = entry.counters();
    json["stats"] = {{"rx_bytes", counters.decapsulated_bytes()},
                     {"rx_pkts", counters.decapsulated_frames()},
                     {"tx_bytes", counters.encapsulated_bytes()},
                     {"tx_pkts", counters.encapsulated_frames()},
                     {"drops", counters.dropped()}};
  }
  return json;
}

}  // namespace

std::string vnis_text(const v1::ListVnisResponse& vnis, const Format& format) {
  std::string text = fmt::format("{:<{}}  {:<15}  {:<15}\n", "dev", kNameWidth, "vni", "group/remote");
  std::string last_dev;
  for (const Run& run : runs_of(vnis, format)) {
    const bool is_new = run.first->dev() != last_dev;
    if (is_new && !last_dev.empty()) text += '\n';
    last_dev = run.first->dev();
    text += fmt::format("{:<{}}  {}\n", is_new ? last_dev : "", kNameWidth, run_text(run));
    if (format.statistics > 0) text += counters_text(run.first->counters());
  }
  if (!last_dev.empty()) text += '\n';
  return text;
}

std::vector<Json> vnis_json(const v1::ListVnisResponse& vnis, const Format& format) {
  std::vector<Json> links;
  for (const Run& run : runs_of(vnis, format)) {
    if (links.empty() || links.back().at("ifname") != run.first->dev()) {
      links.push_back({{"ifname", run.first->dev()}, {"vnis", Json::array()}});
    }
    links.back()["vnis"].push_back(run_json(run, format));
  }
  return links;
}

}  // namespace vtep
