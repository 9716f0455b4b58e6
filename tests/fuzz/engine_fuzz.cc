// The whole engine under an arbitrary sequence of table operations, frames in both directions, and time.
//
// An input is a list of commands: one byte says which, its operands follow. What is missing at the end reads
// as zero, so every input means something. Names, addresses and numbers come from small sets, so that
// commands meet. After every command the tables are compared with what the engine was told, and no frame may
// be unaccounted for.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;

#define REQUIRE(condition)                                                               \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

class Input {
 public:
  explicit Input(ByteView bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t value = left_[0];
    left_ = left_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    const std::uint8_t high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  ByteView bytes(std::size_t n) {
    const ByteView taken = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  template <typename T, std::size_t N>
  const T& one_of(const T (&choices)[N]) {
    return choices[byte() % N];
  }

 private:
  ByteView left_;
};

constexpr Port kPorts[] = {kIanaVxlanPort, kLinuxVxlanPort, Port(1)};
constexpr Vni kVnis[] = {1_vni, 2_vni, 0_vni, 0xffffff_vni};
constexpr PortRange kRanges[] = {
    {}, {Port(5000), Port(5000)}, {Port(5000), Port(5006)}, {Port(0), Port(65535)}};
constexpr std::uint32_t kAgeings[] = {300, 0, 1, 10, 0xffffffff};
constexpr std::uint32_t kMtus[] = {1500, 68, 1450, 9000};
constexpr FdbState kStates[] = {FdbState::kPermanent, FdbState::kStatic, FdbState::kDynamic};
const IpAddr kAddresses[] = {Ipv4(192, 0, 2, 1), Ipv4(192, 0, 2, 2), Ipv4(239, 1, 1, 1),
                             test::ip("2001:db8::1"), test::ip("ff0e::1")};

MacAddr mac(std::uint8_t n) {
  if (n == 0) return {};
  if (n == 1) return kBroadcastMac;
  if (n == 2) return MacAddr({0x01, 0, 0x5e, 0, 0, 1});
  return MacAddr({0x02, 0, 0, 0, 0, n});
}

bool is_replicated(MacAddr address) {
  return address.is_zero() || address.is_multicast();
}

class Driver {
 public:
  explicit Driver(Input& in)
      : in_(in),
        engine_({.hash_seed = in.byte(), .max_dynamic = in.byte() % 2 == 0 ? std::size_t{20} : 200}) {}

  void run() {
    while (!in_.empty()) {
      command();
      check_tables();
    }
    while (!links_.empty()) remove_link(links_.begin()->first);
    REQUIRE(engine_.fdb().size() == 0);
    REQUIRE(engine_.fdb().remote_count() == 0);
  }

 private:
  void command() {
    const std::uint8_t which = in_.byte() % 14;
    if (which == 0 || links_.empty()) return add_link();
    switch (which) {
      case 1:
        return change_link();
      case 2:
        return remove_link(some_link());
      case 3:
        return fdb_set();
      case 4:
        return fdb_remove();
      case 5:
        return fdb_flush();
      case 6:
      case 7:
        return encapsulate();
      case 8:
      case 9:
        return decapsulate();
      case 10:
        now_ += std::chrono::milliseconds(in_.byte() * 100);
        return;
      case 11:
        now_ += std::chrono::seconds(in_.word());
        return;
      case 12:
        return advance(in_.byte() + 1U);
      default:
        move_device();
    }
  }

  // --- configuration

  LinkId some_link() {
    return std::next(links_.begin(), in_.byte() % static_cast<int>(links_.size()))->first;
  }

  LinkConfig some_config() {
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
    config.learning = in_.byte() % 4 != 3;
    return config;
  }

  void add_link() {
    const LinkConfig config = some_config();
    bool is_taken = false;
    for (const auto& [id, other] : links_) is_taken |= other.vni == config.vni && other.port == config.port;
    const auto added = engine_.add_link(config, now_);
    REQUIRE(added.has_value() != is_taken);
    if (is_taken) {
      REQUIRE(added.error().kind == ErrorKind::kExists);
      return;
    }
    REQUIRE(links_.emplace(*added, config).second);
    REQUIRE(*added < 64);  // ids are small, dense and used again
  }

  void change_link() {
    const LinkId link = some_link();
    const LinkConfig before = links_.at(link);
    LinkConfig config = some_config();
    if (in_.byte() % 8 != 0) {
      config.vni = before.vni;
      config.port = before.port;
    }
    const bool is_same_link = config.vni == before.vni && config.port == before.port;
    REQUIRE(engine_.change_link(link, config, now_).has_value() == is_same_link);
    if (is_same_link) links_[link] = config;
    REQUIRE(engine_.config(link) == links_.at(link));
  }

  void remove_link(LinkId link) {
    const std::size_t entries = entries_of(link);
    const std::size_t all = engine_.fdb().size();
    engine_.remove_link(link);
    links_.erase(link);
    REQUIRE(engine_.fdb().size() == all - entries);
  }

  // --- the table

  Remote some_remote() {
    const std::uint8_t shape = in_.byte();
    Remote remote{.address = kAddresses[shape % std::size(kAddresses)]};
    if ((shape & 0x20) != 0) remote.port = in_.one_of(kPorts);
    if ((shape & 0x40) != 0) remote.vni = in_.one_of(kVnis);
    if ((shape & 0x80) != 0) remote.via = IfIndex(in_.byte() % 3 + 1U);
    if (shape == 0x1f) remote.address = {};
    return remote;
  }

  RemoteFilter some_filter() {
    const std::uint8_t shape = in_.byte();
    RemoteFilter filter;
    if ((shape & 1) != 0) filter.address = in_.one_of(kAddresses);
    if ((shape & 2) != 0) filter.port = in_.one_of(kPorts);
    if ((shape & 4) != 0) filter.vni = in_.one_of(kVnis);
    if ((shape & 8) != 0) filter.via = IfIndex(in_.byte() % 4);
    filter.link_vni = (shape & 16) != 0;
    return filter;
  }

  void fdb_set() {
    const LinkId link = some_link();
    const MacAddr to = mac(in_.byte());
    const Remote remote = some_remote();
    const FdbState state = in_.one_of(kStates);
    const bool is_known = !engine_.fdb().get(link, to, now_s()).empty();
    const bool is_legal =
        !remote.address.is_unspecified() && (state != FdbState::kDynamic || !is_replicated(to));
    switch (in_.byte() % 3) {
      case 0:
        REQUIRE(engine_.fdb().add(link, to, remote, state, now_s()).has_value() == (is_legal && !is_known));
        break;
      case 1:
        REQUIRE(engine_.fdb().append(link, to, remote, state, now_s()).has_value() ==
                (is_legal && (!is_known || is_replicated(to))));
        break;
      default:
        REQUIRE(engine_.fdb().replace(link, to, remote, state, now_s()).has_value() == is_legal);
        REQUIRE(!is_legal || engine_.fdb().get(link, to, now_s()).size() == 1);
    }
  }

  void move_device() {
    const IfIndex from(in_.byte() % 3 + 1U);
    const IfIndex to(in_.byte() % 3 + 1U);
    engine_.fdb().move_device(from, to);
  }

  void fdb_remove() {
    const LinkId link = some_link();
    const MacAddr to = mac(in_.byte());
    const RemoteFilter filter = some_filter();
    const auto matching = [&] {
      std::size_t count = 0;
      for (const FdbEntry& entry : engine_.fdb().get(link, to, now_s()))
        count += filter.matches(entry.remote) ? 1 : 0;
      return count;
    };
    const bool is_there = matching() != 0;
    REQUIRE(engine_.fdb().remove(link, to, filter).has_value() == is_there);
    REQUIRE(matching() == 0);
  }

  void fdb_flush() {
    const LinkId link = some_link();
    FdbFilter filter;
    const std::uint8_t shape = in_.byte();
    if ((shape & 1) != 0) filter.states.push_back(in_.one_of(kStates));
    if ((shape & 2) != 0) filter.mac = mac(in_.byte());
    filter.remote = some_filter();
    const std::size_t before = engine_.fdb().list({}, now_s()).size();
    const std::size_t removed = engine_.fdb().flush(link, filter);
    REQUIRE(engine_.fdb().list({}, now_s()).size() == before - removed);
    REQUIRE(engine_.fdb().flush(link, filter) == 0);
  }

  // --- frames

  Bytes some_frame() {
    const std::uint8_t shape = in_.byte();
    if ((shape & 0x80) != 0) return test::to_bytes(in_.bytes(in_.word() % 2048));
    TestFrame frame{.destination = mac(in_.byte()), .source = mac(in_.byte())};
    frame.tags.assign(shape % 4, kEthertypeVlan);
    if ((shape & 0x04) != 0) {
      frame.from = kAddresses[3];
      frame.to = kAddresses[4];
    }
    if ((shape & 0x08) != 0) frame.protocol = kProtocolTcp;
    frame.sum = static_cast<test::Sum>(shape >> 4 & 3);
    frame.payload = in_.word() % 12000;
    frame.source_port = Port(in_.byte());
    const std::uint8_t extras = in_.byte();
    frame.tcp_options = (extras & 0x07) * 4U;
    frame.padding = extras >> 3 & 0x0f;
    if ((extras & 0x80) != 0) frame.fragment = in_.word();
    Bytes bytes = frame.build();
    for (std::uint8_t patches = in_.byte() % 8; patches > 0; --patches) {
      const std::size_t at = in_.word() % bytes.size();
      bytes[at] = in_.byte();
    }
    return bytes;
  }

  void encapsulate() {
    const LinkId link = some_link();
    const LinkConfig& config = links_.at(link);
    TestPackets frames;
    const std::size_t count = in_.byte() % 4 + 1U;
    for (std::size_t i = 0; i < count; ++i) {
      Packet& packet = frames.add(some_frame());
      const std::uint8_t request = in_.byte();
      if (request % 2 == 0) continue;
      packet.offload.needs_checksum = true;
      packet.offload.checksum_start = (request & 2) != 0 ? in_.byte() : in_.word();
      packet.offload.checksum_offset = (request & 4) != 0 ? in_.byte() : in_.word();
    }
    const LinkCounters before = engine_.counters(link);
    std::vector<Datagram> out;
    engine_.encapsulate(link, frames.span(), now_, out);
    const LinkCounters& after = engine_.counters(link);

    std::set<const std::uint8_t*> sent;
    std::uint64_t bytes = 0;
    for (const Datagram& datagram : out) {
      const auto vxlan = VxlanView::parse(datagram.header);
      REQUIRE(vxlan && vxlan->flags() == VxlanHeader::kFlagI);
      REQUIRE(vxlan->reserved1() == 0 && vxlan->reserved2() == 0);
      REQUIRE(!datagram.route.remote.is_unspecified());
      REQUIRE(!datagram.route.destination_port.is_zero());
      REQUIRE(datagram.route.source_port >= config.source_ports.min);
      REQUIRE(datagram.route.source_port <= config.source_ports.max);
      REQUIRE(datagram.tag == link);
      REQUIRE(datagram.frame.size() >= EthernetHeader::kSize);
      sent.insert(datagram.frame.data());
      bytes += datagram.frame.size();
    }
    REQUIRE(sent.size() + (after.drops.total() - before.drops.total()) == count);
    REQUIRE(after.encapsulated_frames - before.encapsulated_frames == out.size());
    REQUIRE(after.encapsulated_bytes - before.encapsulated_bytes == bytes);

    if (in_.byte() % 2 == 0) return;  // or all of it comes back, as from a neighbour
    const IpAddr& source = in_.one_of(kAddresses);
    for (const Port port : kPorts) {
      TestPackets echo;
      for (const Datagram& datagram : out) {
        if (datagram.route.destination_port != port) continue;
        Bytes whole(datagram.header.begin(), datagram.header.end());
        whole.insert(whole.end(), datagram.frame.begin(), datagram.frame.end());
        echo.add(whole).outer_source = source;
      }
      receive(port, echo);
    }
  }

  void decapsulate() {
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
      Packet& packet = datagrams.add_datagram(vni, some_frame(), source);
      if ((shape & 0x40) != 0) {
        const std::size_t at = in_.byte() % VxlanHeader::kSize;
        packet.data()[at] = in_.byte();
      }
    }
    receive(port, datagrams);
  }

  void receive(Port port, TestPackets& datagrams) {
    const std::uint64_t drops = all_drops(port);
    const std::size_t count = datagrams.span().size();
    std::vector<LinkId> links(count);
    const std::size_t good = engine_.decapsulate(port, datagrams.span(), now_, links);
    REQUIRE(good + (all_drops(port) - drops) == count);
    for (std::size_t i = 0; i < good; ++i) {
      const Packet& frame = datagrams[i];
      REQUIRE(links_.contains(links[i]));
      const LinkConfig& config = links_.at(links[i]);
      REQUIRE(config.port == port);
      REQUIRE(frame.size() >= EthernetHeader::kSize);
      const MacAddr source = EthernetView::parse(frame.view())->source();
      REQUIRE(source.is_unicast() && source != config.address);
      const Offload& offload = frame.offload;
      if (offload.needs_checksum) {
        REQUIRE(offload.checksum_start + offload.checksum_offset + std::size_t{2} <= frame.size());
      }
      if (offload.segmentation == Segmentation::kNone) {
        REQUIRE(frame.size() <= EthernetHeader::kSize + kMaxVlanTags * VlanHeader::kSize + config.mtu);
      } else {
        REQUIRE(offload.needs_checksum && offload.segment_size > 0);
        REQUIRE(offload.header_length < frame.size());
        const Layers layers = classify(frame.view());
        REQUIRE(offload.header_length - layers.l3 + std::size_t{offload.segment_size} == config.mtu);
      }
    }
  }

  std::uint64_t all_drops(Port port) const {
    std::uint64_t drops = engine_.port_drops(port).total();
    for (const auto& [link, config] : links_) drops += engine_.counters(link).drops.total();
    return drops;
  }

  // --- time

  Seconds now_s() const { return Engine::to_seconds(now_); }

  bool is_due(const FdbEntry& entry) const {
    const std::uint32_t ageing = links_.at(entry.link).ageing;
    return entry.state == FdbState::kDynamic && ageing != 0 && entry.updated >= ageing;
  }

  void advance(std::size_t budget) {
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
  }

  bool has_work() const {
    const auto deadline = engine_.next_deadline();
    return deadline && *deadline <= now_;
  }

  // --- what always holds

  std::size_t entries_of(LinkId link) const {
    std::set<MacAddr> macs;
    for (const FdbEntry& entry : engine_.fdb().list(link, now_s())) macs.insert(entry.mac);
    return macs.size();
  }

  void check_tables() {
    for (const FdbEvent& event : engine_.fdb().take_events())
      REQUIRE(!event.entry.remote.address.is_unspecified());
    Fdb& fdb = engine_.fdb();
    std::map<std::pair<LinkId, MacAddr>, std::size_t> remotes;
    std::size_t listed = 0;
    for (const FdbEntry& entry : fdb.list({}, now_s())) {
      REQUIRE(links_.contains(entry.link));
      REQUIRE(!entry.remote.address.is_unspecified());
      REQUIRE(entry.state != FdbState::kDynamic || !is_replicated(entry.mac));
      ++remotes[{entry.link, entry.mac}];
      ++listed;
      if (entry.state == FdbState::kDynamic && links_.at(entry.link).ageing != 0) {
        const std::uint64_t expiry = std::uint64_t{now_s() - entry.updated} + links_.at(entry.link).ageing;
        const auto deadline = fdb.next_deadline();
        REQUIRE(expiry > 0xffffffff || (deadline && *deadline <= expiry));
      }
    }
    REQUIRE(fdb.size() == remotes.size());
    REQUIRE(fdb.remote_count() <= listed);
    for (const auto& [key, count] : remotes) {
      REQUIRE(count == 1 || is_replicated(key.second));
      REQUIRE(fdb.get(key.first, key.second, now_s()).size() == count);
      REQUIRE(fdb.find(key.first, key.second, now_s()).size() == count);
    }
  }

  Input& in_;
  Engine engine_;
  std::map<LinkId, LinkConfig> links_;  // as the engine was told
  Time now_{std::chrono::seconds(1000)};
};

}  // namespace
}  // namespace vtep

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vtep::Input input(vtep::ByteView(data, size));
  vtep::Driver(input).run();
  return 0;
}
