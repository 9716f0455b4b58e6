// The Internet Group Management Protocol: RFC 1112 (version 1), RFC 2236 (2), RFC 3376 (3). What stands
// behind the IPv4 header.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      Type     | Max Resp Code |           Checksum            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |   Group Address; in a report of version 3: reserved, count M  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |  query of version 3; a report goes on
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  with M records (group_record.h)
//   |                   N Source Addresses ...
//   +-+-+-+-+-+-+-+-+-+-+-+-+-
//
// A query's version is told by its length and code (RFC 3376 section 7.1); "Query Messages that do not match
// any of the above conditions (e.g., a Query of length 10 octets) MUST be silently ignored". Bytes behind
// what is known count for the checksum and for nothing else.
//
// Each value's parse() reads one type of message and checks what can be seen in the message alone;
// is_valid_igmp() checks what needs the IP header. emit() writes the whole message into exactly size() bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "wire/group_record.h"
#include "wire/ipv4.h"

namespace vtep {

namespace igmp_type {
inline constexpr std::uint8_t kQuery = 0x11;
inline constexpr std::uint8_t kReportV1 = 0x12;
inline constexpr std::uint8_t kReportV2 = 0x16;
inline constexpr std::uint8_t kLeave = 0x17;
inline constexpr std::uint8_t kReportV3 = 0x22;
}  // namespace igmp_type

/// 224.0.0.1 and 224.0.0.22: where general queries and reports of version 3 go.
inline constexpr Ipv4 kAllSystems{224, 0, 0, 1};
inline constexpr Ipv4 kAllIgmpv3Routers{224, 0, 0, 22};

/// Borrows the bytes it was parsed from.
class IgmpView {
 public:
  static constexpr std::size_t kMinSize = 8;

  /// `message` ends where the IP header says. Empty if there are fewer than 8 bytes.
  static std::optional<IgmpView> parse(ByteView message);

  std::uint8_t type() const { return bytes_[0]; }
  std::uint8_t code() const { return bytes_[1]; }
  std::uint16_t checksum() const { return load_be16(bytes_.data() + 2); }
  bool is_checksum_right() const;
  /// Of everything but a report of version 3.
  Ipv4 group() const { return Ipv4::load(bytes_.data() + 4); }
  /// Of a report of version 3.
  std::uint16_t record_count() const { return load_be16(bytes_.data() + 6); }
  GroupRecordCursor<Ipv4> records() const { return {bytes_.subspan(kMinSize), record_count()}; }
  ByteView bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  explicit IgmpView(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

struct IgmpQuery {
  std::uint8_t version = 3;
  Ipv4 group{};                      ///< unspecified: a general query
  std::uint32_t max_response = 100;  ///< tenths of a second; version 1: always 100, version 2: at most 255
  // Version 3 only:
  bool suppress = false;         ///< routers shall not shorten their timers
  std::uint8_t robustness = 2;   ///< 0–7; 0: more than 7
  std::uint32_t interval = 125;  ///< seconds between general queries, as far as they can be coded
  std::vector<Ipv4> sources{};

  static std::optional<IgmpQuery> parse(const IgmpView& message);
  std::size_t size() const;
  /// Precondition: message.size() == size(); sources only in version 3.
  void emit(ByteSpan message) const;
  friend bool operator==(const IgmpQuery&, const IgmpQuery&) = default;
};

/// Of version 1 or 2.
struct IgmpReport {
  std::uint8_t version = 2;
  Ipv4 group;

  /// Empty also if the group is no multicast address.
  static std::optional<IgmpReport> parse(const IgmpView& message);
  static constexpr std::size_t size() { return IgmpView::kMinSize; }
  /// Precondition: message.size() == size().
  void emit(ByteSpan message) const;
  friend bool operator==(const IgmpReport&, const IgmpReport&) = default;
};

struct IgmpLeave {
  Ipv4 group;

  /// Empty also if the group is no multicast address.
  static std::optional<IgmpLeave> parse(const IgmpView& message);
  static constexpr std::size_t size() { return IgmpView::kMinSize; }
  /// Precondition: message.size() == size().
  void emit(ByteSpan message) const;
  friend bool operator==(const IgmpLeave&, const IgmpLeave&) = default;
};

struct IgmpReportV3 {
  std::vector<GroupRecord<Ipv4>> records;  ///< at most 65535

  /// Records of unknown types are passed over. Empty if one is malformed. Allocates; IgmpView::records() does
  /// not.
  static std::optional<IgmpReportV3> parse(const IgmpView& message);
  std::size_t size() const;
  /// Precondition: message.size() == size().
  void emit(ByteSpan message) const;
  friend bool operator==(const IgmpReportV3&, const IgmpReportV3&) = default;
};

/// Whether the message came in a legal packet: whole, both checksums right (RFC 4541 section 2.1.1 item 5), a
/// TTL of 1 (RFC 3376 section 4), a source that is no group, and general queries to 224.0.0.1
/// (section 4.1.12: one to a single host is answered by that host alone). The Router Alert option is not
/// asked for: no RFC lets a receiver reject IGMP without it, and version 1 never had it.
bool is_valid_igmp(const Ipv4View& packet, const IgmpView& message);

}  // namespace vtep
