#include "cli/transcript.h"

#include <gtest/gtest.h>
#include <linux/if.h>

#include <fstream>
#include <map>

#include "cli/json_list.h"
#include "cli/testing.h"

namespace vtep {

namespace {

// Written out a second time, so that a mistake in the printer's tables shows.
const std::map<std::string, std::uint32_t> kFlagBits = {{"BROADCAST", IFF_BROADCAST},
                                                        {"MULTICAST", IFF_MULTICAST},
                                                        {"UP", IFF_UP | IFF_RUNNING},
                                                        {"LOWER_UP", IFF_LOWER_UP}};
const std::map<std::string, std::uint32_t> kOperstates = {{"UNKNOWN", 0}, {"DOWN", 2}, {"UP", 6}};

std::uint32_t number_of(const Json& hex) {
  return static_cast<std::uint32_t>(std::stoul(hex.get<std::string>(), nullptr, 16));
}

void set_header(const Json& data, v1::LinkSpec& spec) {
  const std::map<std::string, v1::Df> dfs = {
      {"unset", v1::DF_UNSET}, {"set", v1::DF_SET}, {"inherit", v1::DF_INHERIT}};
  if (data.contains("ttl")) {
    spec.set_ttl(data.at("ttl"));
  } else {
    spec.set_ttl_inherit(true);  // the only one without its key
  }
  if (data.contains("tos")) spec.set_tos(number_of(data.at("tos")));
  if (data.contains("label")) spec.set_flow_label(number_of(data.at("label")));
  spec.set_df(dfs.at(data.at("df").get<std::string>()));
}

void set_switches(const Json& data, v1::LinkSpec& spec) {
  const std::map<std::string, void (v1::LinkSpec::*)(bool)> switches = {
      {"external", &v1::LinkSpec::set_external},
      {"vnifilter", &v1::LinkSpec::set_vnifilter},
      {"proxy", &v1::LinkSpec::set_proxy},
      {"rsc", &v1::LinkSpec::set_rsc},
      {"l2miss", &v1::LinkSpec::set_l2miss},
      {"l3miss", &v1::LinkSpec::set_l3miss},
      {"udp_csum", &v1::LinkSpec::set_udp_csum},
      {"udp_zero_csum6_tx", &v1::LinkSpec::set_udp6_zero_csum_tx},
      {"udp_zero_csum6_rx", &v1::LinkSpec::set_udp6_zero_csum_rx},
      {"remcsum_tx", &v1::LinkSpec::set_remcsum_tx},
      {"remcsum_rx", &v1::LinkSpec::set_remcsum_rx},
      {"gbp", &v1::LinkSpec::set_gbp}};
  for (const auto& [key, set] : switches) {
    if (data.contains(key)) (spec.*set)(data.at(key));
  }
}

v1::LinkSpec spec_of(const Json& data) {
  v1::LinkSpec spec;
  spec.set_id(data.at("id"));
  for (const char* key : {"group", "group6"}) {
    if (data.contains(key)) spec.set_group(data.at(key));
  }
  for (const char* key : {"remote", "remote6"}) {
    if (data.contains(key)) spec.set_remote(data.at(key));
  }
  for (const char* key : {"local", "local6"}) {
    if (data.contains(key)) spec.set_local(data.at(key));
  }
  if (data.contains("link")) spec.set_dev(data.at("link"));
  spec.set_srcport_min(data.at("port_range").at("low"));
  spec.set_srcport_max(data.at("port_range").at("high"));
  spec.set_dstport(data.at("port"));
  spec.set_learning(data.at("learning"));
  set_header(data, spec);
  spec.set_ageing(data.at("ageing"));
  if (data.contains("limit")) spec.set_max_address(data.at("limit"));
  set_switches(data, spec);
  return spec;
}

v1::NetDeviceStats stats_of(const Json& rx, const Json& tx) {
  v1::NetDeviceStats stats;
  stats.set_rx_bytes(rx.at("bytes"));
  stats.set_rx_packets(rx.at("packets"));
  stats.set_rx_errors(rx.at("errors"));
  stats.set_rx_dropped(rx.at("dropped"));
  stats.set_rx_over_errors(rx.at("over_errors"));
  stats.set_multicast(rx.at("multicast"));
  stats.set_rx_length_errors(rx.at("length_errors"));
  stats.set_rx_crc_errors(rx.at("crc_errors"));
  stats.set_rx_frame_errors(rx.at("frame_errors"));
  stats.set_rx_fifo_errors(rx.at("fifo_errors"));
  stats.set_rx_missed(rx.at("missed_errors"));
  stats.set_tx_bytes(tx.at("bytes"));
  stats.set_tx_packets(tx.at("packets"));
  stats.set_tx_errors(tx.at("errors"));
  stats.set_tx_dropped(tx.at("dropped"));
  stats.set_tx_carrier_errors(tx.at("carrier_errors"));
  stats.set_collisions(tx.at("collisions"));
  stats.set_tx_aborted_errors(tx.at("aborted_errors"));
  stats.set_tx_fifo_errors(tx.at("fifo_errors"));
  stats.set_tx_window_errors(tx.at("window_errors"));
  stats.set_tx_heartbeat_errors(tx.at("heartbeat_errors"));
  stats.set_carrier_changes(tx.at("carrier_changes"));
  return stats;
}

void add_details(const Json& json, v1::NetDevice& device) {
  device.set_promiscuity(json.at("promiscuity"));
  device.set_allmulti(json.at("allmulti"));
  device.set_min_mtu(json.at("min_mtu"));
  device.set_max_mtu(json.at("max_mtu"));
  device.set_num_tx_queues(json.at("num_tx_queues"));
  device.set_num_rx_queues(json.at("num_rx_queues"));
  device.set_gso_max_size(json.at("gso_max_size"));
  device.set_gso_max_segs(json.at("gso_max_segs"));
  device.set_tso_max_size(json.at("tso_max_size"));
  device.set_tso_max_segs(json.at("tso_max_segs"));
  device.set_gro_max_size(json.at("gro_max_size"));
  EXPECT_EQ(json.at("inet6_addr_gen_mode"), "eui64");
  device.set_addr_gen_mode(0);
}

v1::Link link_of(const Json& json) {
  v1::Link link;
  link.set_name(json.at("ifname"));
  v1::NetDevice& device = *link.mutable_device();
  device.set_ifindex(json.at("ifindex"));
  for (const Json& flag : json.at("flags"))
    device.set_flags(device.flags() | kFlagBits.at(flag.get<std::string>()));
  device.set_mtu(json.at("mtu"));
  device.set_qdisc(json.at("qdisc"));
  if (json.contains("master")) device.set_master(json.at("master"));
  device.set_operstate(kOperstates.at(json.at("operstate").get<std::string>()));
  EXPECT_EQ(json.at("linkmode"), "DEFAULT");
  EXPECT_EQ(json.at("group"), "default");
  device.set_txqlen(json.at("txqlen"));
  device.set_address(json.at("address"));
  device.set_broadcast(json.at("broadcast"));
  if (json.contains("linkinfo")) {
    *link.mutable_spec() = spec_of(json.at("linkinfo").at("info_data"));
    add_details(json, device);
  }
  *device.mutable_stats() = stats_of(json.at("stats64").at("rx"), json.at("stats64").at("tx"));
  return link;
}

v1::FdbState state_of(const std::string& word) {
  if (word == "permanent") return v1::FDB_STATE_PERMANENT;
  if (word == "static") return v1::FDB_STATE_STATIC;
  EXPECT_EQ(word, "");
  return v1::FDB_STATE_DYNAMIC;
}

v1::Nexthop nexthop_of(const Json& json) {
  v1::Nexthop nexthop;
  nexthop.set_id(json.at("id"));
  if (json.contains("gateway")) nexthop.set_via(json.at("gateway"));
  for (const Json& member : json.value("group", Json::array())) {
    v1::NexthopMember& added = *nexthop.add_members();
    added.set_id(member.at("id"));
    added.set_weight(member.value("weight", 1U));
  }
  return nexthop;
}

v1::Neighbour neighbour_of(const Json& json) {
  v1::Neighbour neighbour;
  neighbour.set_ip(json.at("dst"));
  neighbour.set_mac(json.at("lladdr"));
  neighbour.set_router(json.contains("router"));
  neighbour.set_permanent(json.at("state").at(0) == "PERMANENT");
  return neighbour;
}

v1::FdbEntry entry_of(const Json& json) {
  v1::FdbEntry entry;
  entry.set_mac(json.at("mac"));
  if (json.contains("ifname")) entry.set_dev(json.at("ifname"));
  if (json.contains("dst")) entry.set_dst(json.at("dst"));
  if (json.contains("port")) entry.set_port(json.at("port"));
  if (json.contains("vni")) entry.set_vni(json.at("vni"));
  if (json.contains("src_vni")) entry.set_src_vni(json.at("src_vni"));
  if (json.contains("viaIf")) entry.set_via(json.at("viaIf"));
  if (json.contains("nhid")) entry.set_nhid(json.at("nhid"));
  for (const Json& flag : json.at("flags")) {
    if (flag == "router") entry.set_router(true);
  }
  entry.set_used(json.at("used"));
  entry.set_updated(json.at("updated"));
  entry.set_state(state_of(json.at("state")));
  return entry;
}

}  // namespace

Format Exchange::format() const {
  const std::vector<std::string_view> all = split(command);
  Words words(all);
  words.take();  // ip or bridge
  const auto options = parse_options(words, "");
  EXPECT_TRUE(options) << command;
  return options ? options->format : Format();
}

std::vector<Exchange> read_transcript(const std::string& file) {
  std::ifstream in(VTEP_CLI_TESTDATA + file);
  EXPECT_TRUE(in) << VTEP_CLI_TESTDATA << file;
  std::vector<Exchange> exchanges;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("$ ")) {
      exchanges.push_back({line.substr(2), ""});
    } else {
      exchanges.back().output += line + '\n';
    }
  }
  return exchanges;
}

std::vector<v1::Link> links_of(const std::string& json) {
  std::vector<v1::Link> links;
  for (const Json& element : Json::parse(json)) links.push_back(link_of(element));
  return links;
}

std::vector<v1::FdbEntry> entries_of(const std::string& json) {
  std::vector<v1::FdbEntry> entries;
  for (const Json& element : Json::parse(json)) entries.push_back(entry_of(element));
  return entries;
}

v1::ListVnisResponse vnis_of(const std::string& json) {
  v1::ListVnisResponse vnis;
  for (const Json& link : Json::parse(json)) {
    for (const Json& range : link.at("vnis")) {
      const std::uint32_t first = range.at("vni");
      for (std::uint32_t vni = first; vni <= range.value("vniEnd", first); ++vni) {
        v1::VniEntry& entry = *vnis.add_vnis();
        entry.set_dev(link.at("ifname"));
        entry.set_vni(vni);
        if (range.contains("group")) entry.set_group(range.at("group"));
        if (range.contains("remote")) entry.set_remote(range.at("remote"));
      }
    }
  }
  return vnis;
}

std::vector<v1::Nexthop> nexthops_of(const std::string& json) {
  std::vector<v1::Nexthop> nexthops;
  for (const Json& element : Json::parse(json)) nexthops.push_back(nexthop_of(element));
  return nexthops;
}

std::vector<v1::Neighbour> neighbours_of(const std::string& json) {
  std::vector<v1::Neighbour> neighbours;
  for (const Json& element : Json::parse(json)) neighbours.push_back(neighbour_of(element));
  return neighbours;
}

}  // namespace vtep
