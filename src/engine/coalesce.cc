// 1. flow       find the flow's open chain; what has no flow passes
// 2. candidate  is this a frame that may be merged at all?
// 3. append     does it continue the chain, with the same headers?
// 4. start      or a chain of its own, in whose place it stands
// 5. finish     headers and offload of the chains that became longer than one
#include "engine/coalesce.h"

#include <cassert>
#include <cstring>

#include "wire/checksum.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

namespace vtep {
namespace {

/// Frames ahead whose headers are fetched: a batch is larger than the caches that were filled by verifying
/// it.
constexpr std::size_t kPrefetch = 4;
constexpr std::uint8_t kClosing = tcp_flag::kFin | tcp_flag::kPsh;
// The lowest bit of a tag is the protocol's, the next one is set in every tag.
constexpr std::uint32_t kUdpBit = 1;
constexpr std::uint32_t kOpenBit = 2;

std::uint32_t load32(const std::uint8_t* p) {
  std::uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint16_t load16(const std::uint8_t* p) {
  std::uint16_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint64_t load64(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// Of addresses and ports. It needs no seed: who makes flows collide only keeps them from being merged.
std::uint64_t hash_flow(const std::uint8_t* l3, const std::uint8_t* l4, bool is_v4) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  std::uint64_t sum = load32(l4) * kMultiplier;
  if (is_v4) {
    sum ^= load64(l3 + Ipv4Header::kSource);
  } else {
    sum ^= load64(l3 + Ipv6Header::kSource) ^ load64(l3 + Ipv6Header::kSource + 8) * 3;
    sum = (sum ^ sum >> 32) * kMultiplier;
    sum ^= load64(l3 + Ipv6Header::kDestination) ^ load64(l3 + Ipv6Header::kDestination + 8) * 3;
  }
  sum = (sum ^ sum >> 32) * kMultiplier;
  return sum ^ sum >> 32;
}

// Comparisons are of words that overlap, all of them and without a branch: they nearly always are equal. Zero
// means equal.

/// The Ethernet header and up to two tags, `l3` bytes.
std::uint64_t ethernet_differs(const std::uint8_t* a, const std::uint8_t* b, std::size_t l3) {
  return (load64(a) ^ load64(b)) | (load64(a + 6) ^ load64(b + 6)) |
         (load64(a + l3 - 8) ^ load64(b + l3 - 8));
}

std::uint64_t addresses_differ(const std::uint8_t* a, const std::uint8_t* b, bool is_v4) {
  if (is_v4) return load64(a + Ipv4Header::kSource) ^ load64(b + Ipv4Header::kSource);
  std::uint64_t differs = 0;
  for (std::size_t at = Ipv6Header::kSource; at < Ipv6Header::kSize; at += 8) {
    differs |= load64(a + at) ^ load64(b + at);
  }
  return differs;
}

/// All that the addresses, the identification and what follows from a length leave.
std::uint32_t ip_differs(const std::uint8_t* a, const std::uint8_t* b, bool is_v4) {
  if (is_v4) {
    constexpr std::size_t kFragmentTtlProtocol = Ipv4Header::kFragment;
    return static_cast<std::uint32_t>(load16(a) ^ load16(b)) |
           (load32(a + kFragmentTtlProtocol) ^ load32(b + kFragmentTtlProtocol));
  }
  constexpr std::size_t kNextHeaderHopLimit = Ipv6Header::kNextHeader;
  return (load32(a) ^ load32(b)) |
         static_cast<std::uint32_t>(load16(a + kNextHeaderHopLimit) ^ load16(b + kNextHeaderHopLimit));
}

/// Acknowledgment, data offset, flags, window, urgent pointer, and options up to `size`. Linux leaves out the
/// urgent pointer, which means nothing without URG; the frames that are cut from a merged one should still be
/// the ones that were sent.
std::uint64_t tcp_differs(const std::uint8_t* a, const std::uint8_t* b, std::size_t size) {
  constexpr std::uint64_t kMayDiffer = std::uint64_t{kClosing} << 16;
  std::uint64_t differs =
      (load_be64(a + TcpHeader::kAcknowledgment) ^ load_be64(b + TcpHeader::kAcknowledgment)) & ~kMayDiffer;
  differs |= static_cast<std::uint64_t>(load16(a + TcpHeader::kUrgent) ^ load16(b + TcpHeader::kUrgent));
  for (std::size_t at = TcpHeader::kSize; at < size; at += 4) differs |= load32(a + at) ^ load32(b + at);
  return differs;
}

bool is_ip_checksum_right(const std::uint8_t* header) {
  // The sum of all words is the same in any byte order, if it is 0xffff (RFC 1071 section 2 (B)).
  std::uint64_t sum = load32(header);
  for (std::size_t at = 4; at < Ipv4Header::kSize; at += 4) sum += load32(header + at);
  return checksum_fold(sum) == 0xffff;
}

}  // namespace

struct Coalescer::Candidate {
  const std::uint8_t* data;
  const std::uint8_t* l3;
  const std::uint8_t* l4;
  const Packet& frame;
  const Layers& layers;
  std::uint64_t hash;
  bool is_udp;
  bool is_v4;
  std::uint16_t headers = 0;
  std::uint16_t payload = 0;
  std::uint8_t flags = 0;  // TCP

  Candidate(const Packet& packet, const Layers& l)
      : data(packet.data()),
        l3(data + l.l3),
        l4(data + l.l4),
        frame(packet),
        layers(l),
        hash(0),
        is_udp(l.protocol == kProtocolUdp),
        is_v4(l.ip == Layers::Ip::kV4) {
    hash = hash_flow(l3, l4, is_v4);
  }

  std::uint32_t tag() const {
    return (static_cast<std::uint32_t>(hash >> 32) & ~kUdpBit) | kOpenBit | (is_udp ? kUdpBit : 0);
  }

  /// Reads the lengths. False: never part of a merged frame, whatever came before it.
  bool may_be_merged() {
    const Offload& offload = frame.offload;
    if (offload.segmentation != Segmentation::kNone) return false;
    const std::uint16_t field = is_udp ? UdpHeader::kChecksum : TcpHeader::kChecksum;
    const bool is_unfinished =
        offload.needs_checksum && offload.checksum_start == layers.l4 && offload.checksum_offset == field;
    if (!is_unfinished && (offload.needs_checksum || !offload.checksum_valid)) return false;
    return has_plain_ip() && (is_udp ? has_plain_udp() : has_plain_tcp());
  }

 private:
  /// No options, no padding, nothing cut off, and an IPv4 checksum that is right: a wrong one would be
  /// mended.
  bool has_plain_ip() const {
    const std::size_t size = frame.size() - layers.l3;
    if (is_v4) {
      constexpr std::uint8_t kPlain = 0x45;
      const std::uint16_t fragment = load_be16(l3 + Ipv4Header::kFragment);
      return l3[Ipv4Header::kVersionAndLength] == kPlain && (fragment & ~Ipv4Header::kDontFragment) == 0 &&
             load_be16(l3 + Ipv4Header::kTotalLength) == size && is_ip_checksum_right(l3);
    }
    return l4 == l3 + Ipv6Header::kSize &&
           load_be16(l3 + Ipv6Header::kPayloadLength) + Ipv6Header::kSize == size;
  }
  bool has_plain_tcp() {
    const std::size_t transport = std::size_t{l4[TcpHeader::kDataOffset]} / 16 * 4;
    flags = l4[TcpHeader::kFlags];
    // CWR as well: a merged frame would have to say that only its first segment has it.
    constexpr std::uint8_t kMayDiffer = kClosing | tcp_flag::kEce;
    return (flags & ~kMayDiffer) == tcp_flag::kAck && set_lengths(transport);
  }
  bool has_plain_udp() {
    return load_be16(l4 + UdpHeader::kLength) == layers.end - layers.l4 &&
           load_be16(l4 + UdpHeader::kChecksum) != 0 && set_lengths(UdpHeader::kSize);
  }
  bool set_lengths(std::size_t transport) {
    const std::size_t all = layers.l4 + transport;
    headers = static_cast<std::uint16_t>(all);
    payload = static_cast<std::uint16_t>(frame.size() - all);
    return frame.size() > all;
  }
};

std::size_t Coalescer::merge(std::span<Packet> frames, std::span<const Layers> layers, Options options) {
  assert(frames.size() == layers.size());
  if (frames.size() < 2) return frames.size();
  tags_.fill(0);
  chains_.clear();
  parts_.clear();

  std::uint32_t left = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (i + kPrefetch < frames.size()) {
      __builtin_prefetch(frames[i + kPrefetch].data());
      __builtin_prefetch(frames[i + kPrefetch].data() + 64);
    }
    const Layers& l = layers[i];
    const bool is_wanted =
        (l.protocol == kProtocolTcp && options.tcp) || (l.protocol == kProtocolUdp && options.udp);
    if (l.fragment) {
      close_protocol(l.protocol);
    } else if (is_wanted && l.l4 != 0) {
      Candidate candidate(frames[i], l);
      const Slot slot = find(candidate);
      const bool may_be_merged = candidate.may_be_merged();
      if (may_be_merged && slot.is_open && append(chains_[open_[slot.index]], candidate)) {
        if (candidate.payload < chains_[open_[slot.index]].segment || (candidate.flags & kClosing) != 0) {
          tags_[slot.index] = 0;
        }
        continue;
      }
      if (slot.is_open) tags_[slot.index] = 0;
      if (may_be_merged && (candidate.flags & kClosing) == 0) start(candidate, slot.index, left);
    }
    if (left != i) frames[left] = frames[i];
    ++left;
  }

  rest_.clear();
  rest_.reserve(parts_.size());  // so that no span into it moves
  for (const Chain& chain : chains_) {
    if (chain.count > 1) finish(chain, frames[chain.position]);
  }
  return left;
}

// --- 1. flow

Coalescer::Slot Coalescer::find(const Candidate& candidate) {
  const std::size_t set = candidate.hash % (kFlows / kWays) * kWays;
  const std::uint32_t tag = candidate.tag();
  std::size_t free = kFlows;
  for (std::size_t i = set; i < set + kWays; ++i) {
    if (tags_[i] == 0) free = i;
    if (tags_[i] != tag) continue;
    const Chain& chain = chains_[open_[i]];
    if (chain.is_v4 != candidate.is_v4) continue;
    const std::uint8_t* const l3 = chain.head + chain.l3;
    if (load32(chain.head + chain.l4) == load32(candidate.l4) &&
        addresses_differ(l3, candidate.l3, chain.is_v4) == 0) {
      return {.index = i, .is_open = true};
    }
  }
  if (free == kFlows) free = set + evict_++ % kWays;
  return {.index = free, .is_open = false};
}

void Coalescer::close_protocol(std::uint8_t protocol) {
  if (protocol == kProtocolTcp || protocol == kProtocolUdp) {
    const std::uint32_t bit = protocol == kProtocolUdp ? kUdpBit : 0;
    for (std::uint32_t& tag : tags_) tag = (tag & kUdpBit) == bit ? 0 : tag;
  } else {
    tags_.fill(0);  // behind an IPv6 fragment header anything may stand
  }
}

// --- 3. append

bool Coalescer::append(Chain& chain, const Candidate& c) {
  const std::uint8_t* const head = chain.head;
  if (chain.headers != c.headers || chain.l4 != c.layers.l4 || chain.l3 != c.layers.l3) return false;
  if (c.payload > chain.segment) return false;
  constexpr std::uint32_t kMaxPacket = 65535;  // of IP, so that every length fits its field
  if (chain.headers - chain.l3 + chain.payload + c.payload > kMaxPacket) return false;
  if (chain.count == (chain.is_udp ? kMaxUdpSegments : kMaxTcpSegments)) return false;
  const std::uint8_t* const l3 = head + chain.l3;
  if ((ethernet_differs(head, c.data, chain.l3) | ip_differs(l3, c.l3, chain.is_v4)) != 0) return false;

  bool same_identification = chain.same_identification;
  if (chain.is_v4) {
    const auto ahead =
        static_cast<std::uint16_t>(load_be16(c.l3 + Ipv4Header::kIdentification) - chain.identification);
    // The second frame decides which it is.
    if (chain.count == 1) same_identification = ahead == 0 && load_be16(l3 + Ipv4Header::kFragment) != 0;
    if (ahead != (same_identification ? 0 : chain.count)) return false;
  }
  if (!chain.is_udp) {
    if (load_be32(c.l4 + TcpHeader::kSequence) != chain.sequence) return false;
    if (tcp_differs(head + chain.l4, c.l4, chain.headers - chain.l4) != 0) return false;
    chain.sequence += c.payload;
    chain.closing_flags = c.flags & kClosing;
  }

  chain.same_identification = same_identification;
  chain.payload += c.payload;
  ++chain.count;
  const auto part = static_cast<std::uint32_t>(parts_.size());
  parts_.push_back({.payload = {c.data + c.headers, c.payload}, .next = kNone});
  (chain.first_part == kNone ? chain.first_part : parts_[chain.last_part].next) = part;
  chain.last_part = part;
  return true;
}

// --- 4. start

void Coalescer::start(const Candidate& c, std::size_t slot, std::uint32_t position) {
  tags_[slot] = c.tag();
  open_[slot] = static_cast<std::uint32_t>(chains_.size());
  chains_.push_back(
      {.head = c.data,
       .position = position,
       .first_part = kNone,
       .last_part = kNone,
       .count = 1,
       .payload = c.payload,
       .sequence = c.is_udp ? 0 : load_be32(c.l4 + TcpHeader::kSequence) + c.payload,
       .segment = c.payload,
       .l3 = c.layers.l3,
       .l4 = c.layers.l4,
       .headers = c.headers,
       .identification = c.is_v4 ? load_be16(c.l3 + Ipv4Header::kIdentification) : std::uint16_t{0},
       .closing_flags = 0,
       .is_udp = c.is_udp,
       .is_v4 = c.is_v4,
       .same_identification = false});
}

// --- 5. finish

void Coalescer::finish(const Chain& chain, Packet& frame) {
  std::uint8_t* const l3 = frame.data() + chain.l3;
  std::uint8_t* const l4 = frame.data() + chain.l4;
  const std::uint32_t length = chain.headers - chain.l4 + chain.payload;  // of TCP or UDP, with its payload
  const std::uint8_t protocol = chain.is_udp ? kProtocolUdp : kProtocolTcp;
  std::uint64_t pseudo = 0;
  if (chain.is_v4) {
    const std::uint16_t before = load_be16(l3 + Ipv4Header::kTotalLength);
    const auto after = static_cast<std::uint16_t>(length + Ipv4Header::kSize);
    store_be16(l3 + Ipv4Header::kTotalLength, after);
    store_be16(l3 + Ipv4Header::kChecksum,
               checksum_update(load_be16(l3 + Ipv4Header::kChecksum), before, after));
    pseudo = pseudo_header_sum(Ipv4::load(l3 + Ipv4Header::kSource),
                               Ipv4::load(l3 + Ipv4Header::kDestination), protocol, length);
  } else {
    store_be16(l3 + Ipv6Header::kPayloadLength, static_cast<std::uint16_t>(length));
    pseudo = pseudo_header_sum(Ipv6::load(l3 + Ipv6Header::kSource),
                               Ipv6::load(l3 + Ipv6Header::kDestination), protocol, length);
  }
  Offload offload{.needs_checksum = true,
                  .checksum_valid = false,
                  .segmentation = Segmentation::kUdp,
                  .segment_size = chain.segment,
                  .header_length = chain.headers,
                  .checksum_start = chain.l4,
                  .checksum_offset = UdpHeader::kChecksum};
  if (chain.is_udp) {
    store_be16(l4 + UdpHeader::kLength, static_cast<std::uint16_t>(length));
  } else {
    l4[TcpHeader::kFlags] |= chain.closing_flags;
    offload.segmentation = chain.is_v4 ? Segmentation::kTcp4 : Segmentation::kTcp6;
    offload.checksum_offset = TcpHeader::kChecksum;
  }
  // What whoever cuts the frame starts from.
  store_be16(l4 + offload.checksum_offset, checksum_fold(pseudo));
  frame.offload = offload;

  const std::size_t begin = rest_.size();
  for (std::uint32_t part = chain.first_part; part != kNone; part = parts_[part].next) {
    rest_.push_back(parts_[part].payload);
  }
  frame.rest = std::span(rest_).subspan(begin);
}

}  // namespace vtep
