// Cutting and merging against models that work on header fields instead of bytes, one frame after the other,
// and that sum every checksum anew (test_flow_frames.h).
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "engine/coalesce.h"
#include "engine/segment.h"
#include "engine/test_flow_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::FlowFrame;
using test::pick;
using test::Sum;
using test::TestPackets;

constexpr std::uint64_t kSeed = 1;

Bytes noise(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = random();
    for (std::size_t j = i; j < std::min(i + 8, size); ++j)
      bytes[j] = static_cast<std::uint8_t>(word >> (j - i) * 8);
  }
  return bytes;
}

bool chance(std::mt19937_64& random, std::uint32_t one_in) {
  return pick(random, 1, one_in) == 1;
}

/// The first frame of a flow; `number` makes its ports.
FlowFrame some_flow(std::mt19937_64& random, std::uint32_t number) {
  FlowFrame frame;
  if (chance(random, 2)) frame.tags.assign(pick(random, 0, 2), kEthertypeVlan);
  if (chance(random, 2)) {
    frame.from = test::ip("fd00::1");
    frame.to = test::ip("fd00::2");
  }
  if (chance(random, 2)) frame.protocol = kProtocolUdp;
  frame.source_port = static_cast<std::uint16_t>(1000 + number);
  frame.destination_port = static_cast<std::uint16_t>(pick(random, 1, 2));
  frame.tos = static_cast<std::uint8_t>(random());
  frame.flow_label = pick(random, 0, 0xfffff);
  frame.identification = static_cast<std::uint16_t>(random());
  frame.fragment = chance(random, 2) ? 0x4000 : 0;
  frame.sequence = static_cast<std::uint32_t>(random());
  frame.tcp_options = noise(random, pick(random, 0, 3) * 4);
  if (chance(random, 3)) frame.tcp_options = noise(random, 40);
  return frame;
}

// --- cutting

FlowFrame some_super_frame(std::mt19937_64& random) {
  FlowFrame frame = some_flow(random, pick(random, 0, 60000));
  frame.flags = static_cast<std::uint8_t>(random());
  frame.urgent = static_cast<std::uint16_t>(random());
  frame.sum = Sum::kPseudo;
  frame.padding = chance(random, 4) ? pick(random, 1, 9) : 0;
  if (frame.is_v4()) {
    if (chance(random, 3)) frame.ip_options = noise(random, pick(random, 1, 10) * 4);
  } else if (chance(random, 2)) {
    const std::uint8_t types[] = {kProtocolHopByHop, kProtocolRouting, kProtocolDestinationOptions};
    for (std::uint32_t n = pick(random, 1, 3); n > 0; --n)
      frame.extensions.push_back(types[pick(random, 0, 2)]);
  }
  const std::size_t most = 65535 - (frame.headers() - frame.l3());
  const std::size_t size = pick(random, 1, chance(random, 20) ? static_cast<std::uint32_t>(most) : 3000);
  frame.payload = noise(random, size);
  return frame;
}

TEST(SegmentationModel, CutMakesWhatTheModelMakes) {
  std::mt19937_64 random(kSeed);
  HeaderArena arena;
  std::vector<Segment> segments;
  for (int round = 0; round < test::steps(3000); ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    const FlowFrame super = some_super_frame(random);
    const auto payload = static_cast<std::uint32_t>(super.payload.size());
    const std::uint32_t size = pick(random, payload / 50 + 1, std::min(payload + 10, 65535U));
    TestPackets packets;
    Packet& packet = packets.add(super.build());
    packet.offload = super.request(size);
    segments.clear();
    arena.clear();
    ASSERT_TRUE(cut(packet, classify(packet.view()), arena, segments));
    const auto expected = test::slow_cut(super, size);
    ASSERT_EQ(segments.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      Bytes frame = test::to_bytes(segments[i].headers);
      frame.insert(frame.end(), segments[i].payload.begin(), segments[i].payload.end());
      ASSERT_EQ(frame, expected[i].build()) << "segment " << i;
    }
  }
}

// --- merging

/// A frame on its way in. `offload` is what the decapsulation would say.
struct Arrived {
  FlowFrame frame;
  Offload offload;
};

using FlowKey = std::tuple<IpAddr, IpAddr, std::uint8_t, std::uint16_t, std::uint16_t>;

FlowKey flow_of(const FlowFrame& frame) {
  return {frame.from, frame.to, frame.protocol, frame.source_port, frame.destination_port};
}

bool is_fragment(const FlowFrame& frame) {
  return frame.is_v4() && (frame.fragment & 0x3fff) != 0;
}

/// One of the things that keep a frame from being merged, or that end a chain. Some concern the other family
/// or the other transport, and change nothing then.
void disturb(std::mt19937_64& random, Arrived& arrived) {
  FlowFrame& frame = arrived.frame;
  switch (pick(random, 0, 27)) {
    case 0:
      frame.flags |= static_cast<std::uint8_t>(1U << pick(random, 0, 7));
      return;
    case 1:
      frame.flags = static_cast<std::uint8_t>(random());
      return;
    case 2:
      frame.tos ^= static_cast<std::uint8_t>(1U << pick(random, 0, 7));
      return;
    case 3:
      --frame.ttl;
      return;
    case 4:
      frame.flow_label ^= 1U << pick(random, 0, 19);
      return;
    case 5:
      frame.identification += static_cast<std::uint16_t>(pick(random, 0, 2));
      return;
    case 6:
      frame.fragment ^= static_cast<std::uint16_t>(1U << pick(random, 0, 15));
      return;
    case 7:
      frame.ip_options = Bytes(4, 1);
      return;
    case 8:
      frame.extensions = {kProtocolDestinationOptions};
      return;
    case 9:
      frame.sequence += pick(random, 0, 2) - 1;
      return;
    case 10:
      frame.acknowledgment += pick(random, 1, 2000);
      return;
    case 11:
      frame.reserved ^= static_cast<std::uint8_t>(1U << pick(random, 0, 3));
      return;
    case 12:
      frame.window ^= static_cast<std::uint16_t>(1U << pick(random, 0, 15));
      return;
    case 13:
      frame.urgent ^= static_cast<std::uint16_t>(1U << pick(random, 0, 15));
      return;
    case 14:
      frame.tcp_options = noise(random, frame.tcp_options.size());
      return;
    case 15:
      frame.tcp_options = noise(random, pick(random, 0, 3) * 4);
      return;
    case 16:
      frame.payload.clear();
      return;
    case 17:
      frame.payload = noise(random, pick(random, 1, 200));
      return;
    case 18:
      frame.payload = noise(random, pick(random, 1, static_cast<std::uint32_t>(frame.payload.size() + 1)));
      return;
    case 19:
      frame.padding = pick(random, 1, 20);
      return;
    case 20:
      frame.sum = Sum::kWrong;
      arrived.offload = {};
      return;
    case 21:
      frame.sum = Sum::kNone;
      arrived.offload = {};
      return;
    case 22:
      frame.ip_sum_is_right = false;
      return;
    case 23:
      frame.vlan ^= 1;
      return;
    case 24:
      frame.destination = test::kMacA;
      return;
    case 25:
      frame.tags.assign(pick(random, 0, 2), kEthertypeVlan);
      return;
    case 26:
      frame.protocol = kProtocolIcmp;
      return;
    default:
      arrived.offload.segmentation = Segmentation::kTcp4;  // its own headers need not agree
      return;
  }
}

std::vector<Arrived> some_batch(std::mt19937_64& random, std::uint32_t flow_count, std::uint32_t frames,
                                std::uint32_t disturbed_one_in) {
  struct Flow {
    FlowFrame next;
    bool counts_up;
    bool unfinished;
    std::size_t size;
  };
  std::vector<Flow> flows;
  for (std::uint32_t i = 0; i < flow_count; ++i) {
    flows.push_back({.next = some_flow(random, i),
                     .counts_up = chance(random, 2),
                     .unfinished = chance(random, 4),
                     .size = chance(random, 60) ? 20000 : pick(random, 1, 100)});
  }
  std::vector<Arrived> all;
  std::size_t which = 0;
  while (all.size() < frames) {
    if (chance(random, 6)) which = pick(random, 0, flow_count - 1);
    Flow& flow = flows[which];
    flow.next.payload = noise(random, flow.size);
    Arrived arrived{.frame = flow.next, .offload = {.checksum_valid = true}};
    if (!chance(random, 30)) {  // otherwise it comes twice
      flow.next.sequence += static_cast<std::uint32_t>(flow.size);
      if (flow.counts_up) ++flow.next.identification;
    }
    const bool is_unfinished = flow.unfinished || chance(random, 20);
    if (chance(random, disturbed_one_in)) disturb(random, arrived);
    if (is_unfinished && arrived.frame.sum == Sum::kRight) {
      arrived.frame.sum = Sum::kPseudo;
      const Segmentation segmentation = arrived.offload.segmentation;
      arrived.offload = arrived.frame.unfinished();
      arrived.offload.segmentation = segmentation;
    }
    all.push_back(arrived);
  }
  return all;
}

/// The frames that became one, by their place in the batch.
using Group = std::vector<std::size_t>;

bool may_be_merged(const Arrived& arrived) {
  const FlowFrame& f = arrived.frame;
  if (arrived.offload.segmentation != Segmentation::kNone || f.payload.empty() || f.padding != 0)
    return false;
  if (!arrived.offload.checksum_valid && !arrived.offload.needs_checksum) return false;
  if (f.is_v4() && (!f.ip_options.empty() || !f.ip_sum_is_right || (f.fragment & ~0x4000) != 0)) return false;
  if (!f.is_v4() && !f.extensions.empty()) return false;
  return !f.is_tcp() || (f.flags & ~0x49) == 0x10;  // FIN, PSH, ECE; ACK
}

bool has_same_headers(const FlowFrame& a, const FlowFrame& b) {
  if (a.tags != b.tags || (!a.tags.empty() && a.vlan != b.vlan) || a.destination != b.destination)
    return false;
  if (a.tos != b.tos || a.ttl != b.ttl) return false;
  if (a.is_v4() ? a.fragment != b.fragment : a.flow_label != b.flow_label) return false;
  if (!a.is_tcp()) return true;
  return a.acknowledgment == b.acknowledgment && a.reserved == b.reserved &&
         ((a.flags ^ b.flags) & 0x40) == 0 && a.window == b.window && a.urgent == b.urgent &&
         a.tcp_options == b.tcp_options;
}

class MergeModel {
 public:
  explicit MergeModel(const std::vector<Arrived>& batch) : batch_(batch) {}

  std::vector<Group> merge(Coalescer::Options options) {
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const FlowFrame& frame = batch_[i].frame;
      const bool is_wanted =
          (frame.protocol == kProtocolTcp && options.tcp) || (frame.protocol == kProtocolUdp && options.udp);
      if (is_fragment(frame)) {
        std::erase_if(open_, [&](const auto& flow) { return std::get<2>(flow.first) == frame.protocol; });
      } else if (is_wanted) {
        if (continues(i)) continue;
        open_.erase(flow_of(frame));
        const bool ends = frame.is_tcp() && (frame.flags & 0x09) != 0;
        if (may_be_merged(batch_[i]) && !ends) open_[flow_of(frame)] = groups_.size();
      }
      groups_.push_back({i});
    }
    return groups_;
  }

 private:
  bool continues(std::size_t i) {
    const FlowFrame& frame = batch_[i].frame;
    const auto found = open_.find(flow_of(frame));
    if (found == open_.end() || !may_be_merged(batch_[i])) return false;
    Group& group = groups_[found->second];
    const FlowFrame& first = batch_[group[0]].frame;
    std::size_t bytes = 0;
    for (const std::size_t member : group) bytes += batch_[member].frame.payload.size();
    if (!has_same_headers(first, frame) || frame.payload.size() > first.payload.size()) return false;
    if (frame.headers() - frame.l3() + bytes + frame.payload.size() > 65535) return false;
    if (group.size() == (frame.is_tcp() ? 256 : 64)) return false;
    if (frame.is_tcp() && frame.sequence != static_cast<std::uint32_t>(first.sequence + bytes)) return false;
    if (frame.is_v4()) {
      const bool second_is_same =
          batch_[group.size() > 1 ? group[1] : i].frame.identification == first.identification;
      const bool counts_up = !second_is_same || (first.fragment & 0x4000) == 0;
      const std::size_t ahead = counts_up ? group.size() : 0;
      if (frame.identification != static_cast<std::uint16_t>(first.identification + ahead)) return false;
    }
    group.push_back(i);
    const bool ends = frame.is_tcp() && (frame.flags & 0x09) != 0;
    if (ends || frame.payload.size() < first.payload.size()) open_.erase(found);
    return true;
  }

  const std::vector<Arrived>& batch_;
  std::vector<Group> groups_;
  std::map<FlowKey, std::size_t> open_;
};

/// The super-frame that the model makes of the group.
FlowFrame merged(const std::vector<Arrived>& batch, const Group& group) {
  FlowFrame super = batch[group[0]].frame;
  super.payload.clear();
  super.sum = Sum::kPseudo;
  for (const std::size_t i : group) {
    super.payload.insert(super.payload.end(), batch[i].frame.payload.begin(), batch[i].frame.payload.end());
    super.flags |= batch[i].frame.flags;
  }
  return super;
}

Bytes whole(const Packet& packet) {
  Bytes bytes = test::to_bytes(packet.view());
  for (const ByteView part : packet.rest) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

class MergeTest {
 public:
  /// Merges; checks every frame that is left; returns what became of which.
  std::vector<Group> merge(const std::vector<Arrived>& batch, Coalescer::Options options) {
    TestPackets packets;
    std::vector<Layers> layers;
    std::vector<const std::uint8_t*> starts;
    for (const Arrived& arrived : batch) {
      Packet& packet = packets.add(arrived.frame.build());
      packet.offload = arrived.offload;
      layers.push_back(classify(packet.view()));
      starts.push_back(packet.data());
    }
    const std::size_t left = coalescer_.merge(packets.span(), layers, options);

    std::vector<Group> groups;
    std::size_t frames = 0;
    for (std::size_t i = 0; i < left; ++i) {
      const Packet& packet = packets[i];
      Group group{at(starts, packet.data())};
      for (const ByteView part : packet.rest) {
        for (std::size_t j = group.back() + 1; j < batch.size(); ++j) {
          if (starts[j] + batch[j].frame.headers() == part.data()) group.push_back(j);
        }
      }
      EXPECT_EQ(group.size(), packet.rest.size() + 1);
      check(batch, group, packet);
      frames += group.size();
      groups.push_back(group);
    }
    EXPECT_EQ(frames, batch.size());
    return groups;
  }

 private:
  static std::size_t at(const std::vector<const std::uint8_t*>& starts, const std::uint8_t* start) {
    return static_cast<std::size_t>(std::ranges::find(starts, start) - starts.begin());
  }

  void check(const std::vector<Arrived>& batch, const Group& group, const Packet& packet) {
    const FlowFrame& first = batch[group[0]].frame;
    if (group.size() == 1) {
      EXPECT_EQ(whole(packet), first.build());
      EXPECT_EQ(packet.offload, batch[group[0]].offload);
      return;
    }
    const FlowFrame super = merged(batch, group);
    EXPECT_EQ(whole(packet), super.build());
    EXPECT_EQ(packet.offload, super.request(first.payload.size()));
    check_cut(batch, group, packet);
  }

  /// Cut again, it is what it was, but for finished checksums and identifications that were all the same.
  void check_cut(const std::vector<Arrived>& batch, const Group& group, const Packet& packet) {
    const std::uint16_t first_id = batch[group[0]].frame.identification;
    const bool counts_up = batch[group[1]].frame.identification != first_id;
    TestPackets packets;
    Packet& super = packets.add(whole(packet));
    super.offload = packet.offload;
    arena_.clear();
    segments_.clear();
    ASSERT_TRUE(cut(super, classify(super.view()), arena_, segments_));
    ASSERT_EQ(segments_.size(), group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
      FlowFrame expected = batch[group[i]].frame;
      expected.sum = Sum::kRight;
      if (!counts_up) {
        EXPECT_TRUE(!expected.is_v4() || (expected.fragment & 0x4000) != 0);
        expected.identification += static_cast<std::uint16_t>(i);
      }
      Bytes frame = test::to_bytes(segments_[i].headers);
      frame.insert(frame.end(), segments_[i].payload.begin(), segments_[i].payload.end());
      ASSERT_EQ(frame, expected.build());
    }
  }

  Coalescer coalescer_;
  HeaderArena arena_;
  std::vector<Segment> segments_;
};

/// No frame overtakes another one of its flow, and none overtakes a fragment that may be of its flow.
void expect_order(const std::vector<Arrived>& batch, const std::vector<Group>& groups) {
  std::map<FlowKey, std::size_t> latest;
  std::map<std::uint8_t, std::size_t> latest_of_protocol, latest_fragment;
  for (const Group& group : groups) {
    for (const std::size_t i : group) {
      const FlowFrame& frame = batch[i].frame;
      if (is_fragment(frame)) {
        EXPECT_GE(i, latest_of_protocol[frame.protocol]);
        latest_fragment[frame.protocol] = i;
        continue;
      }
      EXPECT_GE(i, latest[flow_of(frame)]);
      EXPECT_GE(i, latest_fragment[frame.protocol]);
      latest[flow_of(frame)] = i;
      latest_of_protocol[frame.protocol] = std::max(latest_of_protocol[frame.protocol], i);
    }
  }
}

TEST(SegmentationModel, MergeMakesWhatTheModelMakes) {
  std::mt19937_64 random(kSeed);
  MergeTest test;
  std::size_t frames = 0, left = 0;
  for (int round = 0; round < test::steps(1000); ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    const auto batch = some_batch(random, pick(random, 1, 4), pick(random, 0, 150), pick(random, 2, 60));
    const Coalescer::Options options{.tcp = !chance(random, 10), .udp = !chance(random, 10)};
    const auto groups = test.merge(batch, options);
    ASSERT_EQ(groups, MergeModel(batch).merge(options));
    expect_order(batch, groups);
    ASSERT_FALSE(::testing::Test::HasFailure());
    frames += batch.size();
    left += groups.size();
  }
  EXPECT_LT(left, frames / 2) << "the model must have something to look at";
}

TEST(SegmentationModel, ManyFlowsAreMergedLessButNeverReordered) {
  std::mt19937_64 random(kSeed);
  MergeTest test;
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    const auto batch = some_batch(random, pick(random, 5, 1000), 2000, 20);
    const auto groups = test.merge(batch, {.tcp = true, .udp = true});
    expect_order(batch, groups);
    EXPECT_LT(groups.size(), batch.size());
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace vtep
