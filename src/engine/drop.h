// Every way in which a frame can vanish: name, sentence, counter. One list makes the enum, the text that
// `vtep drop show` prints and the index of the counters (after VPP's vxlan_error.def and Linux's
// dropreason-core.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counter.h"

namespace vtep {

// clang-format off
#define VTEP_DROPS(X)                                                                                              \
  /* overlay → underlay, in the order in which a frame meets them */                                               \
  X(kInterfaceOverflow,   "interface_overflow",   "The interface dropped it: its queue to the daemon was full, or no daemon was there.") \
  X(kFrameTruncated,      "frame_truncated",      "The frame is shorter than an Ethernet header.")                 \
  X(kFrameBadOffload,     "frame_bad_offload",    "The interface handed over a frame whose request for a checksum or for segmentation makes no sense.") \
  X(kVlanTagged,          "vlan_tagged",          "The frame has a VLAN tag, and the link neither strips nor allows it (RFC 7348 section 6.1).") \
  X(kVlanUnknown,         "vlan_unknown",         "No VNI of this interface goes with the frame's VLAN tag, or with none.") \
  X(kNoRemote,            "no_remote",            "The destination is not in the FDB and the link has no flood list: no group, no remote, no all-zero entry.") \
  X(kNotJoined,           "not_joined",           "No remote VTEP asked for this multicast group.")                \
  X(kLimitBroadcast,      "limit_broadcast",      "More broadcast than the link's limit.")                         \
  X(kLimitUnknown,        "limit_unknown",        "More frames to unknown destinations than the link's limit.")    \
  X(kLimitMulticast,      "limit_multicast",      "More multicast than the link's limit.")                         \
  X(kPathMtu,             "path_mtu",             "The outer packet would not fit the path to the remote VTEP; the inner sender was told where that is possible.") \
  X(kFrameTooBig,         "frame_too_big",        "The outer packet would not fit the underlay's MTU, and a VTEP never fragments (RFC 7348 section 4.3).") \
  X(kUnderlayUnreachable, "underlay_unreachable", "The underlay has no route to the remote VTEP.")                 \
  X(kUnderlayDown,        "underlay_down",        "The underlay device is down or missing.")                       \
  X(kUnderlayFull,        "underlay_full",        "The underlay's socket buffer or device queue was full.")        \
  X(kUnderlayRefused,     "underlay_refused",     "The kernel refused to send the outer packet.")                  \
  /* underlay → overlay */                                                                                         \
  X(kReceiveOverflow,     "receive_overflow",     "The UDP socket dropped it: its receive buffer was full, or the outer checksum was wrong.") \
  X(kVxlanTruncated,      "vxlan_truncated",      "The datagram is too short for a VXLAN header and an Ethernet header.") \
  X(kVxlanNoVni,          "vxlan_no_vni",         "The I flag is not set, so the VNI is not valid (RFC 7348 section 5).") \
  X(kUnknownVni,          "unknown_vni",          "No link of this daemon has this VNI on this UDP port.")         \
  X(kReservedBits,        "reserved_bits",        "The VXLAN header has a bit set that the link's reserved_bits forbid.") \
  X(kBadRemoteChecksum,   "bad_remote_checksum",  "The header asks for a remote checksum outside the frame.")      \
  X(kOuterSource,         "outer_source",         "The outer source is no address of a VTEP, or one that the link denies.") \
  X(kUnknownVtep,         "unknown_vtep",         "The link does not learn, and its FDB does not name the VTEP that sent this.") \
  X(kVlanReceived,        "vlan_received",        "The inner frame has a VLAN tag, and the link does not allow it (RFC 7348 section 6.1).") \
  X(kCongestionLost,      "congestion_lost",      "The outer packet is marked as having met congestion, and the inner sender does not understand marks (RFC 6040 section 4.2).") \
  X(kOwnSource,           "own_source",           "The inner source is this link's own address: a loop, or an echo of our own multicast.") \
  X(kBadSource,           "bad_source",           "The inner source is zero or a group address, which no station may use.") \
  X(kStaticSource,        "static_source",        "The inner source has a static entry behind another remote, and static entries do not move.") \
  X(kFrozenSource,        "frozen_source",        "The inner source moved too often between remotes and is frozen behind another one.") \
  X(kReportWithheld,      "report_withheld",      "A group report from another VTEP, which would have kept our own hosts from reporting (RFC 4541 section 2.1.1).") \
  X(kInnerTooBig,         "inner_too_big",        "The inner frame is larger than the interface's MTU and cannot be segmented.") \
  X(kInnerChecksum,       "inner_checksum",       "The inner TCP checksum of a frame larger than the MTU is wrong.") \
  X(kInterfaceDown,       "interface_down",       "The overlay interface is down or missing.")                     \
  X(kInterfaceFull,       "interface_full",       "The overlay interface's queue was full.")                       \
  X(kInterfaceRefused,    "interface_refused",    "The kernel refused the inner frame.")
// clang-format on

enum class Drop : std::uint8_t {
#define VTEP_DROP_ENUM(id, name, sentence) id,
  VTEP_DROPS(VTEP_DROP_ENUM)
#undef VTEP_DROP_ENUM
};

struct DropText {
  std::string_view name;      ///< stable: metrics and scripts use it
  std::string_view sentence;  ///< for people
};

inline constexpr std::array kDropTexts = {
#define VTEP_DROP_TEXT(id, name, sentence) DropText{name, sentence},
    VTEP_DROPS(VTEP_DROP_TEXT)
#undef VTEP_DROP_TEXT
};

inline constexpr std::size_t kDropCount = kDropTexts.size();

constexpr const DropText& text(Drop drop) {
  return kDropTexts[static_cast<std::size_t>(drop)];
}

/// A counter for each named drop. One thread writes them, any may read them.
class DropCounters {
 public:
  void add(Drop drop, std::uint64_t n = 1) { counts_[static_cast<std::size_t>(drop)] += n; }
  DropCounters& operator+=(const DropCounters& other) {
    for (std::size_t i = 0; i < kDropCount; ++i) counts_[i] += other.counts_[i];
    return *this;
  }
  std::uint64_t operator[](Drop drop) const { return counts_[static_cast<std::size_t>(drop)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const Counter& count : counts_) sum += count;
    return sum;
  }

 private:
  std::array<Counter, kDropCount> counts_{};
};

}  // namespace vtep
