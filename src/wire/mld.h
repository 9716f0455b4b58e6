// Multicast Listener Discovery for IPv6: RFC 2710 (version 1), RFC 3810 (2). The body of four ICMPv6
// messages.
//
//   Query, report of version 1, done (in front of them: type, code, checksum)
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |    Maximum Response Code      |           Reserved            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                Multicast Address (16 bytes) ...               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |  query of version 2
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                   N Source Addresses ...
//   +-+-+-+-+-+-+-+-+-+-+-+-+-
//   Report of version 2
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           Reserved            |        Number of Records      |  then the records (group_record.h)
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A query of 24 bytes is of version 1, one of 28 or more of version 2, and others "MUST be silently ignored"
// (RFC 3810 section 8.1). The code is "initialized to zero by the sender; ignored by receivers".
//
// Each value's parse() reads one type of message and checks what can be seen in the message alone;
// is_valid_mld() checks what needs the IP header. emit() writes the whole ICMPv6 message into exactly size()
// bytes. `pseudo_sum` comes from pseudo_header_sum() with the same size.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "wire/group_record.h"
#include "wire/icmpv6.h"
#include "wire/ipv6.h"

namespace vtep {

/// Types of ICMPv6.
namespace mld_type {
inline constexpr std::uint8_t kQuery = 130;
inline constexpr std::uint8_t kReport = 131;
inline constexpr std::uint8_t kDone = 132;
inline constexpr std::uint8_t kReportV2 = icmpv6_type::kListenerReportV2;
}  // namespace mld_type

/// Whether an ICMPv6 type is one of the four.
bool is_mld_type(std::uint8_t type);

struct MldQuery {
  std::uint8_t version = 2;
  Ipv6 group{};                        ///< unspecified: a general query
  std::uint32_t max_response = 10000;  ///< milliseconds; version 1: at most 65535
  // Version 2 only:
  bool suppress = false;         ///< routers shall not shorten their timers
  std::uint8_t robustness = 2;   ///< 0–7; 0: more than 7
  std::uint32_t interval = 125;  ///< seconds between general queries, as far as they can be coded
  std::vector<Ipv6> sources{};

  static std::optional<MldQuery> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size(); sources only in version 2.
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const MldQuery&, const MldQuery&) = default;
};

/// Of version 1.
struct MldReport {
  Ipv6 group;

  /// Empty also if the group is no multicast address.
  static std::optional<MldReport> parse(const Icmpv6View& message);
  static std::size_t size();
  /// Precondition: message.size() == size().
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const MldReport&, const MldReport&) = default;
};

/// Of version 1: the group was left.
struct MldDone {
  Ipv6 group;

  /// Empty also if the group is no multicast address.
  static std::optional<MldDone> parse(const Icmpv6View& message);
  static std::size_t size();
  /// Precondition: message.size() == size().
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const MldDone&, const MldDone&) = default;
};

struct MldReportV2 {
  std::vector<GroupRecord<Ipv6>> records;  ///< at most 65535

  /// Records of unknown types are passed over. Empty if one is malformed. Allocates; mld_records() does not.
  static std::optional<MldReportV2> parse(const Icmpv6View& message);
  std::size_t size() const;
  /// Precondition: message.size() == size().
  void emit(ByteSpan message, std::uint64_t pseudo_sum) const;
  friend bool operator==(const MldReportV2&, const MldReportV2&) = default;
};

/// The records of a report of version 2; none to walk over if it is something else, or too short.
GroupRecordCursor<Ipv6> mld_records(const Icmpv6View& message);

/// Whether a message of one of the four types came in a legal packet: whole, the checksum right, a hop limit
/// of 1, and
///   * from a link-local address (RFC 2710 sections 4 and 5, RFC 3810 sections 6.2 and 7.4), or for all but a
///   query the
///     unspecified one, which RFC 3590 allows for the sake of those who snoop;
///   * in version 2 with a Router Alert option, without which it "is dropped";
///   * a general query to ff02::1, because one to a single node is answered by that node alone.
bool is_valid_mld(const Ipv6View& packet, const Icmpv6View& message);

}  // namespace vtep
