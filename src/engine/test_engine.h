// One engine with a clock of its own, frames in and datagrams out. Test-only.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engine/lane.h"
#include "engine/test_frames.h"

namespace vtep::test {

class EngineTest : public ::testing::Test {
 protected:
  LinkId add_link(const LinkConfig& config) {
    const auto link = engine_.add_link(config, now_);
    EXPECT_TRUE(link.has_value());
    return *link;
  }
  static Remote remote(const char* address) {
    return {.address = ip(address), .port = {}, .vni = {}, .via = {}};
  }
  void add_entry(LinkId link, MacAddr mac, const FdbTarget& target, FdbState state = FdbState::kStatic) {
    ASSERT_TRUE(engine_.fdb().append(link, mac, target, state, seconds()));
  }
  void add_flood(LinkId link, const char* address) {
    add_entry(link, MacAddr(), remote(address), FdbState::kPermanent);
  }

  void wait(std::uint32_t seconds) { now_ += std::chrono::seconds(seconds); }
  Seconds seconds() const { return Engine::to_seconds(now_); }

  /// What leaves for these frames; frames that come back are in `replies_`.
  const std::vector<Datagram>& send(LinkId link, TestPackets& frames) {
    out_.clear();
    replies_.clear();
    lane_.encapsulate(link, frames.span(), now_, out_, replies_);
    return out_;
  }
  const std::vector<Datagram>& send(LinkId link, const Bytes& frame) {
    frames_ = {};
    frames_.add(frame);
    return send(link, frames_);
  }
  /// Where copies of the frame went, in the order of the datagrams.
  std::vector<IpAddr> remotes_for(LinkId link, const Bytes& frame) {
    std::vector<IpAddr> remotes;
    for (const Datagram& datagram : send(link, frame)) remotes.push_back(datagram.route.remote);
    return remotes;
  }
  Bytes reply(std::size_t i = 0) { return to_bytes(replies_.packets()[i].view()); }

  /// What an interface gets from this datagram on the link's port, or nothing. `header_bits` are set in the
  /// VXLAN header besides the I flag and the VNI.
  std::optional<Bytes> receive(LinkId link, const Bytes& frame, const char* from = "192.0.2.1",
                               std::uint64_t header_bits = 0, std::uint8_t outer_tos = 0) {
    received_ = {};
    const LinkConfig& config = engine_.config(link);
    Packet& datagram = received_.add_datagram(config.vni, frame, ip(from));
    store_be64(datagram.data(), load_be64(datagram.data()) | header_bits);
    datagram.outer_tos = outer_tos;
    LinkId to = 0;
    Layers layers;
    if (lane_.decapsulate(config.port, received_.span(), now_, {&to, 1}, {&layers, 1}) == 0)
      return std::nullopt;
    EXPECT_EQ(to, link);
    return to_bytes(received_[0].view());
  }
  const Offload& received_offload() { return received_[0].offload; }

  LinkCounters counters(LinkId link) const { return engine_.counters(link); }
  /// How often the link dropped for this reason; fails if it dropped for any other.
  std::uint64_t only_drops(LinkId link, Drop drop) const {
    EXPECT_EQ(counters(link).drops.total(), counters(link).drops[drop]);
    return counters(link).drops[drop];
  }
  std::vector<FdbEntry> entry(LinkId link, MacAddr mac) const {
    return engine_.fdb().get(link, mac, seconds());
  }

  Time now_{std::chrono::seconds(1000)};
  Engine engine_{{.hash_seed = 1}};
  Lane lane_{engine_};
  PacketBatch replies_{8, kHeadroom + 1536};

 private:
  TestPackets frames_;
  TestPackets received_;
  std::vector<Datagram> out_;
};

}  // namespace vtep::test
