// Links come, change and go.
#include <iterator>

#include "engine_driver.h"

namespace vtep::fuzz {

LinkId Driver::some_link() {
  return std::next(links_.begin(), in_.byte() % static_cast<int>(links_.size()))->first;
}

LinkConfig Driver::some_config() {
  LinkConfig config;
  config.vni = in_.one_of(kVnis);
  config.port = in_.one_of(kPorts);
  config.device = IfIndex(in_.byte() % 4);
  if (const std::uint8_t flood = in_.byte(); flood % 4 != 0)
    config.flood = kAddresses[flood % std::size(kAddresses)];
  config.source_ports = in_.one_of(kRanges);
  config.ageing = in_.one_of(kAgeings);
  config.mtu = in_.one_of(kMtus);
  config.address = mac(in_.byte());
  const std::uint16_t flags = in_.word();
  config.learning = (flags & 0x0001) == 0;
  config.proxy = (flags & 0x0002) != 0;
  config.rsc = (flags & 0x0004) != 0;
  config.l2miss = (flags & 0x0008) != 0;
  config.l3miss = (flags & 0x0010) != 0;
  config.snooping = (flags & 0x0020) != 0;
  config.mss_clamp = (flags & 0x0040) != 0;
  config.remcsum_tx = (flags & 0x0080) != 0;
  config.remcsum_rx = (flags & 0x0100) != 0;
  config.gbp = (flags & 0x0200) != 0;
  config.has_vni = (flags & 0x0400) == 0;
  config.vlan = static_cast<VlanPolicy>((flags >> 11 & 3) % 3);
  if ((flags & 0x2000) != 0) add_outer_policy(config);
  if ((flags & 0x4000) != 0) add_trust(config);
  if ((flags & 0x8000) != 0) {
    config.limits = {.broadcast = in_.byte(), .unknown = in_.byte(), .multicast = in_.word()};
  }
  return config;
}

void Driver::add_outer_policy(LinkConfig& config) {
  const std::uint8_t flags = in_.byte();
  config.outer.ttl = in_.byte();
  config.outer.tos = in_.byte();
  config.outer.flow_label = in_.word();
  config.outer.ttl_inherit = (flags & 0x01) != 0;
  config.outer.tos_inherit = (flags & 0x02) != 0;
  config.outer.flow_label_inherit = (flags & 0x04) != 0;
  config.outer.dont_fragment = static_cast<DontFragment>((flags >> 3 & 3) % 3);
  config.outer.checksum4 = (flags & 0x20) == 0;
  config.outer.checksum6 = (flags & 0x40) == 0;
  if ((flags & 0x80) != 0) {
    config.local4 = Ipv4(192, 0, 2, 100);
    config.local6 = test::ip("2001:db8::100");
  }
}

void Driver::add_trust(LinkConfig& config) {
  const std::uint8_t flags = in_.byte();
  config.max_addresses = in_.byte() % 16;
  config.move_limit = {.moves = in_.byte() % 8U, .window = in_.byte()};
  config.reserved_bits = in_.quad();
  if ((flags & 1) != 0)
    config.sources.allow.push_back(*Prefix::from(in_.one_of(kAddresses), in_.byte() % 33));
  if ((flags & 2) != 0) config.sources.allow.push_back(*Prefix::parse("2001:db8::/32"));
  if ((flags & 4) != 0) config.sources.deny.push_back(*Prefix::from(in_.one_of(kAddresses), in_.byte() % 33));
}

void Driver::add_link() {
  const LinkConfig config = some_config();
  bool is_taken = false;
  for (const auto& [id, other] : links_) {
    is_taken |= config.has_vni && other.has_vni && other.vni == config.vni && other.port == config.port;
  }
  if (links_.size() >= 64) return;  // those without a VNI never collide
  const auto added = engine_.add_link(config, now_);
  REQUIRE(added.has_value() != is_taken);
  if (is_taken) {
    REQUIRE(added.error().kind == ErrorKind::kExists);
    return;
  }
  REQUIRE(links_.emplace(*added, config).second);
  REQUIRE(*added < 64);  // ids are small, dense and used again
  REQUIRE(engine_.counters(*added).drops.total() == 0);
  REQUIRE(entries_of(*added) == (config.flood ? 1U : 0U));
}

bool Driver::is_refused_as_full(LinkId link, const LinkConfig& config) {
  const LinkConfig& before = links_.at(link);
  const bool is_new = config.flood != before.flood || config.device != before.device;
  return is_new && config.flood && config.max_addresses != 0 &&
         engine_.fdb().size(link) >= config.max_addresses &&
         engine_.fdb().get(link, MacAddr(), now_s()).empty();
}

void Driver::change_link() {
  const LinkId link = some_link();
  const LinkConfig before = links_.at(link);
  LinkConfig config = some_config();
  if (in_.byte() % 8 != 0) {
    config.vni = before.vni;
    config.port = before.port;
    config.has_vni = before.has_vni;
  }
  const bool is_same_link =
      config.vni == before.vni && config.port == before.port && config.has_vni == before.has_vni;
  const bool is_accepted = is_same_link && !is_refused_as_full(link, config);
  REQUIRE(engine_.change_link(link, config, now_).has_value() == is_accepted);
  if (is_accepted) links_[link] = config;
  REQUIRE(engine_.config(link) == links_.at(link));
}

void Driver::remove_link(LinkId link) {
  const std::size_t entries = entries_of(link);
  const std::size_t all = engine_.fdb().size();
  engine_.remove_link(link);
  links_.erase(link);
  entries_.erase(link);
  std::erase_if(mdb_, [&](const auto& item) { return std::get<0>(item.first) == link; });
  std::erase_if(neighbours_, [&](const auto& item) { return std::get<0>(item.first) == link; });
  REQUIRE(engine_.fdb().size() == all - entries);
}

}  // namespace vtep::fuzz
