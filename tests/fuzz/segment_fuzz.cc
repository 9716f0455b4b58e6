// Hostile super-frames are cut, and hostile batches merged and cut again.
//
// An input is one cut or one batch, as its first byte says. Frames are well-formed ones with some fields and
// bytes changed; what their senders ask for may be anything.
#include "engine/coalesce.h"
#include "engine/inner_checksum.h"
#include "engine/segment.h"
#include "engine/test_flow_frames.h"
#include "engine_input.h"

namespace vtep::fuzz {
namespace {

using test::Bytes;
using test::FlowFrame;
using test::TestPackets;

constexpr std::uint32_t kNoMtu = 100000;  // nothing is too big

FlowFrame some_frame(Input& in, std::size_t max_payload) {
  const std::uint8_t shape = in.byte();
  FlowFrame frame;
  if ((shape & 0x01) != 0) {
    frame.from = test::ip("fd00::1");
    frame.to = test::ip("fd00::2");
  }
  if ((shape & 0x02) != 0) frame.protocol = kProtocolUdp;
  frame.tags.assign(shape >> 2 & 3, kEthertypeVlan);
  if ((shape & 0x10) != 0) frame.tcp_options = Bytes(12, 1);
  frame.fragment = (shape & 0x20) != 0 ? 0 : 0x4000;
  frame.payload.assign(in.word() % max_payload + 1, shape);
  frame.source_port = shape >> 6;
  return frame;
}

void change_field(Input& in, FlowFrame& frame) {
  const std::uint8_t which = in.byte();
  const std::uint8_t value = in.byte();
  switch (which % 20) {
    case 0:
      frame.flags = value;
      break;
    case 1:
      frame.tos = value;
      break;
    case 2:
      frame.ttl = value;
      break;
    case 3:
      frame.flow_label = value;
      break;
    case 4:
      frame.identification += value;
      break;
    case 5:
      frame.fragment = static_cast<std::uint16_t>(value << 8);
      break;
    case 6:
      frame.ip_options = Bytes(value % 10 * 4, 1);
      break;
    case 7:
      frame.extensions.assign(value % 4, value % 2 == 0 ? kProtocolRouting : kProtocolDestinationOptions);
      break;
    case 8:
      frame.sequence += value - 128;
      break;
    case 9:
      frame.acknowledgment += value;
      break;
    case 10:
      frame.reserved = value % 16;
      break;
    case 11:
      frame.window += value;
      break;
    case 12:
      frame.urgent = value;
      break;
    case 13:
      frame.tcp_options.assign(value % 11 * 4, value);
      break;
    case 14:
      frame.payload.assign(value, value);
      break;
    case 15:
      frame.padding = value;
      break;
    case 16:
      frame.vlan = value;
      break;
    case 17:
      frame.tags.assign(value % 4, kEthertypeServiceVlan);
      break;
    case 18:
      frame.protocol = value;
      break;
    default:
      frame.ip_sum_is_right = false;
      break;
  }
}

void patch(Input& in, Bytes& bytes) {
  for (std::uint8_t n = in.byte() % 4; n > 0; --n) {
    const std::size_t at = in.word() % bytes.size();
    bytes[at] = in.byte();
  }
}

Offload some_offload(Input& in) {
  return {.needs_checksum = in.flag(),
          .checksum_valid = in.flag(),
          .segmentation = static_cast<Segmentation>(in.byte() % 4),
          .segment_size = in.word(),
          .header_length = in.word(),
          .checksum_start = in.word(),
          .checksum_offset = in.word()};
}

Bytes together(ByteView first, ByteView second) {
  Bytes all = test::to_bytes(first);
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

/// Sets to zero what has two forms or may change, once it is known to be right: both checksums, and the
/// identification of a frame with DF.
void normalise(Bytes& bytes) {
  TestPackets packets;
  Packet& packet = packets.add(bytes);
  const Layers layers = classify(packet.view());
  REQUIRE(restore_offload(packet, layers, kNoMtu) == std::nullopt);
  REQUIRE(packet.offload.checksum_valid);
  const bool is_tcp = layers.protocol == kProtocolTcp;
  store_be16(bytes.data() + layers.l4 + (is_tcp ? TcpHeader::kChecksum : UdpHeader::kChecksum), 0);
  if (layers.ip != Layers::Ip::kV4) return;
  std::uint8_t* const ip = bytes.data() + layers.l3;
  const std::size_t size = std::size_t{ip[0] & 0xfU} * 4;
  REQUIRE(checksum_fold(checksum_partial({ip, size})) == 0xffff);
  store_be16(ip + Ipv4Header::kChecksum, 0);
  if (load_be16(ip + Ipv4Header::kFragment) == Ipv4Header::kDontFragment) {
    store_be16(ip + Ipv4Header::kIdentification, 0);
  }
}

/// Every segment is a right frame, and together they carry the payload of `frame` from start to end.
void require_segments(const Packet& frame, const Layers& layers, const std::vector<Segment>& segments) {
  REQUIRE(!segments.empty() && segments.size() <= kMaxSegments);
  const std::uint8_t* next = frame.data() + frame.offload.header_length;
  for (const Segment& segment : segments) {
    REQUIRE(segment.payload.data() == next);
    REQUIRE(!segment.payload.empty() && segment.payload.size() <= frame.offload.segment_size);
    REQUIRE(segment.headers.size() == frame.offload.header_length);
    REQUIRE(segment.headers.size() <= kMaxSegmentHeaders);
    REQUIRE(segment.size() <= largest_segment(frame));
    next += segment.payload.size();

    const Bytes bytes = together(segment.headers, segment.payload);
    const Layers one = classify(bytes);
    REQUIRE(one.l4 == layers.l4 && one.end == bytes.size() && one.protocol == layers.protocol);
    if (layers.l4 != layers.l3 + Ipv6Header::kSize && layers.ip == Layers::Ip::kV6)
      continue;  // routed, maybe
    Bytes normal = bytes;
    normalise(normal);
  }
  REQUIRE(next == frame.data() + layers.end);
}

void cut_one(Input& in) {
  FlowFrame shape = some_frame(in, 60000);
  for (std::uint8_t n = in.byte() % 4; n > 0; --n) change_field(in, shape);
  Bytes bytes = shape.build();
  const std::uint8_t how = in.byte();
  Offload request = shape.request(in.word());
  if (how % 2 != 0) request = some_offload(in);
  if (request.segmentation == Segmentation::kNone) request.segmentation = Segmentation::kUdp;
  patch(in, bytes);
  TestPackets packets;
  Packet& packet = packets.add(bytes);
  packet.offload = request;
  const Layers layers = classify(packet.view());
  HeaderArena arena;
  std::vector<Segment> segments;
  if (cut(packet, layers, arena, segments)) {
    require_segments(packet, layers, segments);
  } else {
    REQUIRE(segments.empty());
  }
  REQUIRE(test::to_bytes(packet.view()) == bytes);
}

/// The frame that starts there, or that has its payload there.
std::size_t whose(const std::vector<ByteView>& frames, ByteView part) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (part.data() < frames[i].data() || part.data() >= frames[i].data() + frames[i].size()) continue;
    REQUIRE(part.data() + part.size() == frames[i].data() + frames[i].size());
    return i;
  }
  constexpr bool kIsInsideOfAFrameThatWentIn = false;
  REQUIRE(kIsInsideOfAFrameThatWentIn);
  return 0;
}

void require_merged(const Packet& packet, const std::vector<Bytes>& before,
                    const std::vector<std::size_t>& members) {
  Bytes whole = test::to_bytes(packet.view());
  for (const ByteView part : packet.rest) whole.insert(whole.end(), part.begin(), part.end());
  TestPackets packets;
  Packet& super = packets.add(whole);
  super.offload = packet.offload;
  const Layers layers = classify(super.view());
  REQUIRE(layers.end == super.size() && layers.end - layers.l3 <= 65535);
  HeaderArena arena;
  std::vector<Segment> segments;
  REQUIRE(cut(super, layers, arena, segments));
  REQUIRE(segments.size() == members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    TestPackets originals;
    Packet& original = originals.add(before[members[i]]);
    restore_offload(original, classify(original.view()), kNoMtu);
    REQUIRE(finish_checksum(original));
    Bytes expected = test::to_bytes(original.view());
    Bytes frame = together(segments[i].headers, segments[i].payload);
    normalise(expected);
    normalise(frame);
    REQUIRE(frame == expected);
  }
}

void merge_batch(Input& in) {
  const std::uint8_t options = in.byte();
  const bool is_honest = (options & 4) == 0;
  FlowFrame flows[4];
  for (FlowFrame& flow : flows) flow = some_frame(in, 300);
  TestPackets packets;
  std::vector<Layers> layers;
  std::vector<Bytes> before;
  while (!in.empty() && before.size() < 200) {
    const std::uint8_t command = in.byte();
    FlowFrame& flow = flows[command % 4];
    FlowFrame frame = flow;
    flow.sequence += static_cast<std::uint32_t>(flow.payload.size());
    ++flow.identification;
    frame.sum = static_cast<test::Sum>(command >> 2 & ((command & 0x10) != 0 ? 3 : 1));
    if ((command & 0x20) != 0) change_field(in, frame);
    Bytes bytes = frame.build();
    if ((command & 0x40) != 0) patch(in, bytes);
    Packet& packet = packets.add(bytes);
    layers.push_back(classify(packet.view()));
    // What the decapsulation finds, or whatever somebody says.
    restore_offload(packet, layers.back(), kNoMtu);
    if (!is_honest && (command & 0x80) != 0) packet.offload = some_offload(in);
    before.push_back(bytes);
  }

  std::vector<ByteView> views;
  std::vector<Offload> offloads;
  for (const Packet& packet : packets.span()) {
    views.push_back(packet.view());
    offloads.push_back(packet.offload);
  }
  Coalescer coalescer;
  const std::size_t left =
      coalescer.merge(packets.span(), layers, {.tcp = (options & 1) == 0, .udp = (options & 2) == 0});
  REQUIRE(left <= before.size());

  std::vector<bool> seen(before.size());
  std::size_t last_first = 0;
  for (std::size_t i = 0; i < left; ++i) {
    const Packet& packet = packets[i];
    std::vector<std::size_t> members{whose(views, packet.view())};
    for (const ByteView part : packet.rest) members.push_back(whose(views, part));
    REQUIRE(i == 0 || members[0] > last_first);
    last_first = members[0];
    REQUIRE(std::ranges::is_sorted(members));
    for (const std::size_t member : members) {
      REQUIRE(!seen[member]);
      seen[member] = true;
    }
    if (members.size() > 1) {
      if (is_honest) require_merged(packet, before, members);
    } else {
      REQUIRE(test::to_bytes(packet.view()) == before[members[0]]);
      REQUIRE(packet.offload == offloads[members[0]]);
    }
  }
  REQUIRE(std::ranges::find(seen, false) == seen.end());
}

}  // namespace
}  // namespace vtep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vtep::fuzz::Input input(vtep::ByteView(data, size));
  if (input.flag()) {
    vtep::fuzz::merge_batch(input);
  } else {
    vtep::fuzz::cut_one(input);
  }
  return 0;
}
