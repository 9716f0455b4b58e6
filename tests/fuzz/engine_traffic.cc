// Frames in both directions, and time.
#include <set>

#include "engine/vlan_tag.h"
#include "engine_driver.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/udp.h"

namespace vtep::fuzz {
namespace {

constexpr Segmentation kSegmentations[] = {Segmentation::kTcp4, Segmentation::kTcp6, Segmentation::kUdp};

/// In one piece.
test::Bytes inner_frame(const Datagram& datagram) {
  test::Bytes whole(datagram.prefix.begin(), datagram.prefix.end());
  whole.insert(whole.end(), datagram.frame.begin(), datagram.frame.end());
  return whole;
}

}  // namespace

using test::Bytes;
using test::TestPackets;

// --- overlay to underlay

void Driver::encapsulate() {
  const LinkId link = some_link();
  TestPackets frames;
  const std::size_t count = in_.byte() % 4 + 1U;
  for (std::size_t i = 0; i < count; ++i) {
    Packet& packet = frames.add(some_frame(in_));
    const std::uint8_t request = in_.byte();
    if (request % 2 == 0) continue;
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = (request & 2) != 0 ? in_.byte() : in_.word();
    packet.offload.checksum_offset = (request & 4) != 0 ? in_.byte() : in_.word();
    if ((request & 0x80) == 0) continue;
    packet.offload.segmentation = in_.one_of(kSegmentations);
    packet.offload.segment_size = in_.byte();
    packet.offload.header_length = in_.byte();
  }
  replies_.clear();
  std::vector<Datagram> out;
  for (Packet& frame : frames.span()) encapsulate_one(link, frame, out);

  const std::uint8_t fate = in_.byte() % 3;
  if (fate == 2) {  // the underlay takes none of it
    for (const Datagram& datagram : out) refuse(datagram);
  }
  if (fate != 1) return;
  // Or all of it comes back, as from a neighbour.
  const IpAddr& source = in_.one_of(kAddresses);
  for (const Port port : kPorts) {
    TestPackets echo;
    for (const Datagram& datagram : out) {
      if (datagram.route.destination_port != port) continue;
      Bytes whole = inner_frame(datagram);
      whole.insert(whole.begin(), datagram.header.begin(), datagram.header.end());
      echo.add(whole).outer_source = source;
    }
    receive(port, echo);
  }
}

/// The frame is sent, whole or in segments, answered, or dropped by one name; only copies of it may be
/// dropped one by one.
void Driver::encapsulate_one(LinkId link, Packet& frame, std::vector<Datagram>& out) {
  const LinkCounters before = engine_.counters(link);
  const std::size_t sent_before = out.size();
  const std::size_t replies_before = replies_.size();
  lane_.encapsulate(link, {&frame, 1}, now_, out, replies_);
  const LinkCounters after = engine_.counters(link);
  const std::size_t sent = out.size() - sent_before;
  const std::uint64_t drops = after.drops.total() - before.drops.total();
  const std::uint64_t copies = after.drops[Drop::kPathMtu] - before.drops[Drop::kPathMtu];
  const std::uint64_t answered = after.suppressed - before.suppressed;
  REQUIRE((sent + copies > 0 ? 1U : 0U) + answered + (drops - copies) == 1);

  std::uint64_t bytes = 0;
  for (std::size_t i = sent_before; i < out.size(); ++i) {
    require_datagram(link, out[i]);
    bytes += out[i].size() - Datagram::kHeaderSize;
  }
  REQUIRE(after.encapsulated_frames - before.encapsulated_frames == sent);
  REQUIRE(after.encapsulated_bytes - before.encapsulated_bytes == bytes);
  const std::uint64_t told = after.too_big_answers - before.too_big_answers;
  REQUIRE(told <= 1 && (told == 0 || copies > 0));
  REQUIRE(replies_.size() - replies_before == answered + told);
  require_replies(replies_before);
}

void Driver::require_datagram(LinkId link, const Datagram& datagram) {
  const LinkConfig& config = links_.at(link);
  const Route& route = datagram.route;
  const std::uint64_t meant = vxlan_bits::kVxlan | (config.remcsum_tx ? vxlan_bits::kRemoteChecksum : 0);
  const std::uint64_t header = load_be64(datagram.header.data());
  REQUIRE(VxlanView::parse(datagram.header)->has_vni() && (header & ~meant) == 0);
  REQUIRE(!route.remote.is_unspecified());
  REQUIRE(route.local.is_unspecified() || route.local.is_v4() == route.remote.is_v4());
  REQUIRE(!route.destination_port.is_zero());
  REQUIRE(route.source_port >= config.source_ports.min && route.source_port <= config.source_ports.max);
  REQUIRE(!route.dont_fragment || route.remote.is_v4());
  REQUIRE(route.flow_label == 0 || route.remote.is_v6());
  REQUIRE(datagram.tag == link);
  const Bytes inner = inner_frame(datagram);
  REQUIRE(inner.size() >= EthernetHeader::kSize);
  REQUIRE(config.vlan == VlanPolicy::kAllow || !has_tag(inner));
  const Path* const path = engine_.paths().find(route.remote);
  REQUIRE(path != nullptr);
  const std::size_t ip = route.remote.is_v4() ? Ipv4Header::kSize : Ipv6Header::kSize;
  const std::size_t size = ip + UdpHeader::kSize + VxlanHeader::kSize + inner.size();
  REQUIRE(path->mtu == 0 || size <= path->mtu);
  if (path->checksum) REQUIRE(route.checksum == *path->checksum);
}

void Driver::require_replies(std::size_t from) {
  for (std::size_t i = from; i < replies_.size(); ++i) require_reply(replies_.packets()[i].view());
}

void Driver::refuse(const Datagram& datagram) {
  const std::uint32_t mtu = in_.one_of(kPathMtus);
  const bool is_known = links_.contains(datagram.tag);
  const std::uint64_t before = is_known ? engine_.counters(datagram.tag).too_big_answers.get() : 0;
  const std::size_t replies_before = replies_.size();
  lane_.did_not_fit(datagram, mtu, now_, replies_);
  const std::uint64_t told = is_known ? engine_.counters(datagram.tag).too_big_answers.get() - before : 0;
  REQUIRE(told <= 1 && replies_.size() - replies_before == told);
  REQUIRE(mtu != 0 || told == 0);
  require_replies(replies_before);
  const Path* const path = engine_.paths().find(datagram.route.remote);
  if (path == nullptr || mtu == 0 || !is_known || path->mtu_until == Path::kByHand) return;
  const std::uint32_t least = path->address.is_v4() ? PathTable::kMinMtu4 : PathTable::kMinMtu6;
  REQUIRE(path->mtu != 0 && path->mtu >= least && path->mtu <= std::max(mtu, least));
}

/// One that was sent by a link that may be gone, to somebody who may be forgotten.
void Driver::refuse_stranger() {
  const Bytes frame = some_frame(in_);
  Datagram datagram{.header = {}, .frame = frame, .route = {}, .tag = in_.byte() % 8U};
  datagram.route.remote = in_.one_of(kAddresses);
  replies_.clear();
  refuse(datagram);
}

// --- underlay to overlay

void Driver::decapsulate() {
  const Port port = in_.one_of(kPorts);
  TestPackets datagrams;
  const std::size_t count = in_.byte() % 4 + 1U;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t shape = in_.byte();
    const IpAddr& source = kAddresses[shape % std::size(kAddresses)];
    if ((shape & 0x80) != 0) {
      datagrams.add(in_.bytes(in_.byte())).outer_source = source;
      continue;
    }
    const Vni vni = in_.one_of(kVnis);
    Packet& packet = datagrams.add_datagram(vni, some_frame(in_), source);
    if ((shape & 0x20) != 0) packet.outer_tos = in_.byte();
    if ((shape & 0x40) == 0) continue;
    const std::uint8_t at = in_.byte();
    if ((at & 0x80) != 0) {  // all bits that mean something to somebody
      store_be64(packet.data(), in_.quad());
    } else {
      packet.data()[at % VxlanHeader::kSize] = in_.byte();
    }
  }
  receive(port, datagrams);
}

void Driver::receive(Port port, TestPackets& datagrams) {
  const std::uint64_t drops = all_drops(port);
  const std::size_t count = datagrams.span().size();
  std::vector<LinkId> links(count);
  std::vector<Layers> layers(count);
  const std::size_t good = lane_.decapsulate(port, datagrams.span(), now_, links, layers);
  REQUIRE(good + (all_drops(port) - drops) == count);
  for (std::size_t i = 0; i < good; ++i)
    require_delivered(port, links[i], datagrams[i], datagrams[i].outer_source);
}

void Driver::require_delivered(Port port, LinkId link, const Packet& frame, const IpAddr& source) {
  REQUIRE(links_.contains(link));
  const LinkConfig& config = links_.at(link);
  REQUIRE(config.has_vni && config.port == port);
  REQUIRE(!source.is_unspecified() && !source.is_multicast() && config.sources.permits(source));
  REQUIRE(config.learning || engine_.fdb().names(link, source));
  REQUIRE(frame.size() >= EthernetHeader::kSize);
  REQUIRE(config.vlan == VlanPolicy::kAllow || !has_tag(frame.view()));
  const MacAddr sender = EthernetView::parse(frame.view())->source();
  REQUIRE(sender.is_unicast() && sender != config.address);
  const Offload& offload = frame.offload;
  if (offload.needs_checksum) {
    REQUIRE(offload.checksum_start + offload.checksum_offset + std::size_t{2} <= frame.size());
  }
  if (offload.segmentation == Segmentation::kNone) {
    REQUIRE(frame.size() <= EthernetHeader::kSize + kMaxVlanTags * VlanHeader::kSize + config.mtu);
    return;
  }
  REQUIRE(offload.needs_checksum && offload.segment_size > 0);
  REQUIRE(offload.header_length < frame.size());
  const Layers layers = classify(frame.view());
  REQUIRE(offload.checksum_start == layers.l4);
  REQUIRE(offload.header_length - layers.l3 + std::size_t{offload.segment_size} == config.mtu);
}

std::uint64_t Driver::all_drops(Port port) const {
  std::uint64_t drops = engine_.port_drops(port).total();
  for (const auto& [link, config] : links_) drops += engine_.counters(link).drops.total();
  return drops;
}

// --- time

void Driver::advance(std::size_t budget) {
  const auto before = engine_.fdb().list({}, now_s());
  for (int calls = 0; calls == 0 || (budget >= 128 && has_work()); ++calls) {
    REQUIRE(calls < 1000);
    engine_.advance(now_, budget);
  }
  for (const FdbEntry& entry : before) {
    const bool is_there = !engine_.fdb().get(entry.link, entry.mac, now_s()).empty();
    REQUIRE(is_there || is_due(entry));
    REQUIRE(!is_there || !is_due(entry) || has_work());
  }
  if (has_work()) return;
  for (const MdbEntry& entry : engine_.mdb().list({}, now_s())) REQUIRE(entry.permanent || entry.expires > 0);
  for (const Neighbour& one : engine_.neighbours().list({}, now_s())) {
    REQUIRE(one.origin != NeighbourOrigin::kHeard || one.updated < Neighbours::kAgeing);
  }
  for (const Path& path : engine_.paths().list()) REQUIRE(path.mtu == 0 || path.mtu_until > now_s());
}

bool Driver::has_work() const {
  const auto deadline = engine_.next_deadline();
  return deadline && *deadline <= now_;
}

bool Driver::is_due(const FdbEntry& entry) const {
  const std::uint32_t ageing = links_.at(entry.link).ageing;
  return entry.state == FdbState::kDynamic && ageing != 0 && entry.updated >= ageing;
}

}  // namespace vtep::fuzz
