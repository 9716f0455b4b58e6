// A super-frame (TSO, USO) cut into frames that fit a wire, without moving its payload.
//
// A local sender hands over up to 64 KB of TCP or of equal UDP datagrams behind one set of headers, and says
// in Packet::offload how to cut it. What comes out are the frames that its network card would have sent:
// TCP's sequence number advances, FIN and PSH stay with the last segment and CWR with the first (RFC 3168
// section 6.1.2), IPv4 identifications count up, every length and checksum is a segment's own.
//
// Functions without state. The super-frame is only read: with head-end replication one cut serves all
// remotes.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/packet.h"
#include "engine/header_arena.h"
#include "wire/layers.h"

namespace vtep {

/// Owns nothing: the headers live in an arena, the payload in the super-frame.
struct Segment {
  ByteView headers;  ///< from the Ethernet header to the end of TCP's or UDP's
  ByteView payload;

  std::size_t size() const { return headers.size() + payload.size(); }
};

/// Our own limit, so that one frame cannot become 64 K of them: 64 KB in segments of 64 bytes. No sender goes
/// there: Linux cuts a UDP send into 128 at most, and an MSS of 536 makes 122.
inline constexpr std::size_t kMaxSegments = 1024;
/// Our own limit, so that a chain of extension headers is not copied a thousand times: everything that IPv4
/// and TCP can bring, and with IPv6 some 390 bytes of extension headers.
inline constexpr std::size_t kMaxSegmentHeaders = 512;

/// Appends the segments of `frame` to `out`, in order; at least one. `layers` is classify(frame). Bytes
/// behind `layers.end` are padding and go nowhere.
///
/// False, and nothing appended: the request makes no sense (it names another protocol than the frame has, its
/// offsets are not those of the frame's headers, there is nothing to cut, the frame is a fragment), or it
/// exceeds kMaxSegments or kMaxSegmentHeaders. Precondition: frame.offload.segmentation is not kNone.
bool cut(const Packet& frame, const Layers& layers, HeaderArena& arena, std::vector<Segment>& out);

/// Bytes of the largest frame that `frame` becomes on a wire: its size, or that of a full segment. For the
/// check against a path's MTU, which comes before any cutting; a request that makes no sense gives a number
/// that makes none.
std::size_t largest_segment(const Packet& frame);

/// How many frames `frame` becomes on a wire, at least one; worth as much as its request.
std::size_t segment_count(const Packet& frame);

}  // namespace vtep
