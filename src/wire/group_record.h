// What IGMPv3 and MLDv2 have in common but for the size of an address: group records, lists of sources, and
// the floating-point times of queries (RFC 3376 sections 4.1 and 4.2; RFC 3810 sections 5.1 and 5.2).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Record Type  |  Aux Data Len |     Number of Sources (N)     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                Multicast Address (4 or 16 bytes)              |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                   N Source Addresses ...
//   +-+-+-+-+-+-+-+-+-+-+-+-+-
//   |                   Auxiliary Data (in words of 4 bytes) ...
//   +-+-+-+-+-+-+-+-+-+-+-+-+-
//
// "Unrecognized Record Type values MUST be silently ignored." Auxiliary data are not defined by either
// protocol: never sent, passed over when received.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"

namespace vtep {

enum class RecordType : std::uint8_t {
  kIsInclude = 1,  ///< current state: only these sources
  kIsExclude = 2,  ///< current state: all but these
  kToInclude = 3,  ///< the state became so; without sources: left the group
  kToExclude = 4,
  kAllow = 5,  ///< these sources too, from now on
  kBlock = 6,  ///< these no longer
};

/// Addresses as they stand in a message. Borrows the bytes.
template <typename Address>
class SourceList {
 public:
  /// Precondition: a whole number of addresses.
  explicit SourceList(ByteView bytes) : bytes_(bytes) { assert(bytes.size() % Address::kSize == 0); }
  std::size_t size() const { return bytes_.size() / Address::kSize; }
  bool empty() const { return bytes_.empty(); }
  /// Precondition: i < size().
  Address operator[](std::size_t i) const { return Address::load(bytes_.data() + i * Address::kSize); }
  std::vector<Address> to_vector() const {
    std::vector<Address> all(size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = (*this)[i];
    return all;
  }

 private:
  ByteView bytes_;
};

/// Borrows the bytes it was parsed from.
template <typename Address>
class GroupRecordView {
 public:
  static constexpr std::size_t kFixedSize = 4 + Address::kSize;

  /// The record at the start of `bytes`. Empty if it would reach beyond them.
  static std::optional<GroupRecordView> parse(ByteView bytes) {
    if (bytes.size() < kFixedSize) return std::nullopt;
    const GroupRecordView all(bytes);
    if (all.size() > bytes.size()) return std::nullopt;
    return GroupRecordView(bytes.first(all.size()));
  }

  /// Empty if it is not one that is known.
  std::optional<RecordType> type() const {
    if (bytes_[0] < static_cast<std::uint8_t>(RecordType::kIsInclude)) return std::nullopt;
    if (bytes_[0] > static_cast<std::uint8_t>(RecordType::kBlock)) return std::nullopt;
    return static_cast<RecordType>(bytes_[0]);
  }
  Address group() const { return Address::load(bytes_.data() + 4); }
  SourceList<Address> sources() const {
    return SourceList<Address>(bytes_.subspan(kFixedSize, source_count() * Address::kSize));
  }
  /// In bytes, auxiliary data included.
  std::size_t size() const {
    return kFixedSize + source_count() * Address::kSize + std::size_t{bytes_[1]} * 4;
  }

 private:
  explicit GroupRecordView(ByteView bytes) : bytes_(bytes) {}
  std::size_t source_count() const { return load_be16(bytes_.data() + 2); }
  ByteView bytes_;
};

/// Walks from record to record. Borrows the bytes.
template <typename Address>
class GroupRecordCursor {
 public:
  /// `count` is how many records the message promises.
  GroupRecordCursor(ByteView records, std::size_t count) : bytes_(records), left_(count) {}

  /// Empty behind the last, and where a record reaches beyond the message.
  std::optional<GroupRecordView<Address>> next() {
    if (left_ == 0) return std::nullopt;
    const auto record = GroupRecordView<Address>::parse(bytes_);
    if (!record) return std::nullopt;
    bytes_ = bytes_.subspan(record->size());
    --left_;
    return record;
  }
  /// After next() came back empty: not all that was promised is there.
  bool is_malformed() const { return left_ != 0; }

 private:
  ByteView bytes_;
  std::size_t left_;
};

template <typename Address>
struct GroupRecord {
  RecordType type = RecordType::kIsExclude;
  Address group;
  std::vector<Address> sources;  ///< at most 65535

  std::size_t size() const { return GroupRecordView<Address>::kFixedSize + sources.size() * Address::kSize; }
  /// Precondition: bytes.size() == size().
  void emit(ByteSpan bytes) const {
    assert(bytes.size() == size() && sources.size() <= 0xffff);
    std::uint8_t* p = bytes.data();
    p[0] = static_cast<std::uint8_t>(type);
    p[1] = 0;
    store_be16(p + 2, static_cast<std::uint16_t>(sources.size()));
    group.store(p + 4);
    p += GroupRecordView<Address>::kFixedSize;
    for (const Address& source : sources) {
      source.store(p);
      p += Address::kSize;
    }
  }
  friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

template <typename Address>
std::size_t total_size(const std::vector<GroupRecord<Address>>& records) {
  std::size_t size = 0;
  for (const auto& record : records) size += record.size();
  return size;
}

/// One behind the other. Precondition: bytes.size() == total_size(records).
template <typename Address>
void emit_records(ByteSpan bytes, const std::vector<GroupRecord<Address>>& records) {
  for (const auto& record : records) {
    record.emit(bytes.first(record.size()));
    bytes = bytes.subspan(record.size());
  }
}

/// All records of a known type. Empty if the cursor met a malformed one.
template <typename Address>
std::optional<std::vector<GroupRecord<Address>>> read_records(GroupRecordCursor<Address> cursor) {
  std::vector<GroupRecord<Address>> records;
  while (const auto record = cursor.next()) {
    if (const auto type = record->type())
      records.push_back({*type, record->group(), record->sources().to_vector()});
  }
  if (cursor.is_malformed()) return std::nullopt;
  return records;
}

/// Times in queries: a plain number below 8 << kMantissaBits, from there on 1, three bits of exponent, and a
/// mantissa (RFC 3376 section 4.1.1: 4 bits, RFC 3810 section 5.1.3: 12 bits). One code for each value that
/// has one.
template <unsigned kMantissaBits>
struct TimeCode {
  static constexpr std::uint32_t kFirstFloat = 8U << kMantissaBits;
  static constexpr std::uint32_t kHidden = 1U << kMantissaBits;
  static constexpr std::uint32_t kMax = (2 * kHidden - 1) << 10;

  static constexpr std::uint32_t decode(std::uint32_t code) {
    if (code < kFirstFloat) return code;
    return ((code & (kHidden - 1)) | kHidden) << ((code >> kMantissaBits & 7) + 3);
  }
  /// The largest time that has a code and does not exceed `value`.
  static constexpr std::uint32_t encode(std::uint32_t value) {
    if (value < kFirstFloat) return value;
    if (value > kMax) value = kMax;
    const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - (kMantissaBits + 1);
    return kFirstFloat | (shift - 3) << kMantissaBits | (value >> shift & (kHidden - 1));
  }
};

using IgmpTimeCode = TimeCode<4>;  ///< Max Resp Code of IGMPv3, and QQIC of both protocols
using MldTimeCode = TimeCode<12>;  ///< Maximum Response Code of MLDv2

}  // namespace vtep
