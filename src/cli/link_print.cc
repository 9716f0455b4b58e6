#include "cli/link_print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/link_stats.h"
#include "cli/link_words.h"
#include "cli/remote_print.h"
#include "cli/vxlan_print.h"

namespace vtep {

namespace {

constexpr int kOwnCounters = 3;  // -s -s -s: iproute2 prints no more for the third

// The numbers that -d prints behind the vxlan options: each with its word in text and its key in JSON.
template <typename Add>
void limits(const v1::NetDevice& device, Add add) {
  if (device.has_num_tx_queues()) add("numtxqueues", "num_tx_queues", device.num_tx_queues());
  if (device.has_num_rx_queues()) add("numrxqueues", "num_rx_queues", device.num_rx_queues());
  if (device.has_gso_max_size()) add("gso_max_size", "gso_max_size", device.gso_max_size());
  if (device.has_gso_max_segs()) add("gso_max_segs", "gso_max_segs", device.gso_max_segs());
  if (device.has_tso_max_size()) add("tso_max_size", "tso_max_size", device.tso_max_size());
  if (device.has_tso_max_segs()) add("tso_max_segs", "tso_max_segs", device.tso_max_segs());
  if (device.has_gro_max_size()) add("gro_max_size", "gro_max_size", device.gro_max_size());
}

std::string details_text(const v1::Link& link, LinkForm form) {
  const v1::NetDevice& device = link.device();
  std::string text;
  if (device.has_promiscuity()) text += fmt::format(" promiscuity {} ", device.promiscuity());
  if (device.has_allmulti()) text += fmt::format(" allmulti {} ", device.allmulti());
  if (device.has_min_mtu()) text += fmt::format("minmtu {} ", device.min_mtu());
  if (device.has_max_mtu()) text += fmt::format("maxmtu {} ", device.max_mtu());
  text += "\n    " + vxlan_text(link.spec());
  if (form == LinkForm::kShow && device.has_addr_gen_mode()) {
    text += fmt::format("addrgenmode {} ", addr_gen_mode_name(device.addr_gen_mode()));
  }
  limits(device, [&](std::string_view word, std::string_view, std::uint32_t value) {
    text += fmt::format("{} {} ", word, value);
  });
  return text;
}

void add_details(const v1::Link& link, Json& json) {
  const v1::NetDevice& device = link.device();
  if (device.has_promiscuity()) json["promiscuity"] = device.promiscuity();
  if (device.has_allmulti()) json["allmulti"] = device.allmulti();
  if (device.has_min_mtu()) json["min_mtu"] = device.min_mtu();
  if (device.has_max_mtu()) json["max_mtu"] = device.max_mtu();
  json["linkinfo"] = {{"info_kind", "vxlan"}, {"info_data", vxlan_json(link.spec())}};
  if (device.has_addr_gen_mode()) json["inet6_addr_gen_mode"] = addr_gen_mode_name(device.addr_gen_mode());
  limits(device, [&](std::string_view, std::string_view key, std::uint32_t value) {
    json[std::string(key)] = value;
  });
  for (const v1::Remote& remote : link.remotes()) json["remotes"].push_back(path_json(remote));
}

// A link whose interface is not there has no state of the kernel's; IF_OPER_NOTPRESENT says so.
std::string state_of(const v1::Link& link) {
  return link.has_device() ? operstate_name(link.device().operstate()) : "NOTPRESENT";
}

const std::string& address_of(const v1::Link& link) {
  return link.has_device() ? link.device().address() : link.spec().address();
}

std::string flags_text(const v1::Link& link) {
  return fmt::format("<{}> ", fmt::join(flag_names(link.device().flags()), ","));
}

std::string brief_text(const v1::Link& link) {
  return fmt::format("{:<16} {:<14} {} {}\n", link.name(), state_of(link), address_of(link),
                     flags_text(link));
}

std::string first_line(const v1::Link& link, LinkForm form) {
  const v1::NetDevice& device = link.device();
  std::string text = fmt::format("{}: {}: {}", device.ifindex(), link.name(), flags_text(link));
  if (link.has_device()) text += fmt::format("mtu {} ", device.mtu());
  if (!device.qdisc().empty()) text += fmt::format("qdisc {} ", device.qdisc());
  if (!device.master().empty()) text += fmt::format("master {} ", device.master());
  text += fmt::format("state {} ", state_of(link));
  if (!link.has_device()) return text;
  if (form == LinkForm::kShow) text += fmt::format("mode {} ", link_mode_name(device.linkmode()));
  text += fmt::format("group {} ", group_name(device.group()));
  if (form == LinkForm::kShow && device.txqlen() != 0) text += fmt::format("qlen {}", device.txqlen());
  return text;
}

}  // namespace

std::string link_text(const v1::Link& link, const Format& format, LinkForm form) {
  if (format.brief) return brief_text(link);
  const v1::NetDevice& device = link.device();
  std::string text = first_line(link, form) + "\n    link/ether " + address_of(link);
  if (!device.broadcast().empty()) text += " brd " + device.broadcast();
  if (format.details > 0) text += details_text(link, form);
  text += '\n';
  if (form == LinkForm::kShow && format.details > 0) {
    for (const v1::Remote& remote : link.remotes()) text += fmt::format("    remote {}\n", path_text(remote));
  }
  if (form == LinkForm::kShow && format.statistics > 0) {
    if (device.has_stats()) text += stats_text(device.stats(), format.statistics > 1);
    if (format.statistics >= kOwnCounters) text += counters_text(link.counters());
  }
  if (!link.trouble().empty()) text += fmt::format("    trouble: {}\n", link.trouble());
  return text;
}

Json link_json(const v1::Link& link, const Format& format) {
  const v1::NetDevice& device = link.device();
  if (format.brief) {
    return {{"ifname", link.name()},
            {"operstate", state_of(link)},
            {"address", address_of(link)},
            {"flags", flag_names(device.flags())}};
  }
  Json json = Json::object();
  if (link.has_device()) json["ifindex"] = device.ifindex();
  json["ifname"] = link.name();
  json["flags"] = flag_names(device.flags());
  if (link.has_device()) json["mtu"] = device.mtu();
  if (!device.qdisc().empty()) json["qdisc"] = device.qdisc();
  if (!device.master().empty()) json["master"] = device.master();
  json["operstate"] = state_of(link);
  if (link.has_device()) {
    json["linkmode"] = link_mode_name(device.linkmode());
    json["group"] = group_name(device.group());
    if (device.txqlen() != 0) json["txqlen"] = device.txqlen();
  }
  json["link_type"] = "ether";
  json["address"] = address_of(link);
  if (!device.broadcast().empty()) json["broadcast"] = device.broadcast();
  if (format.details > 0) add_details(link, json);
  if (format.statistics > 0 && device.has_stats()) {
    json["stats64"] = stats_json(device.stats(), format.statistics > 1);
  }
  if (format.statistics >= kOwnCounters) json["vtep"] = counters_json(link.counters());
  if (!link.trouble().empty()) json["trouble"] = link.trouble();
  return json;
}

}  // namespace vtep
