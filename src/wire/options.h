// The options of IPv4 (RFC 791 section 3.1) and TCP (RFC 9293 section 3.1): the same kind, length, data
// encoding.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace vtep {

struct Option {
  static constexpr std::uint8_t kEnd = 0;
  static constexpr std::uint8_t kNop = 1;

  std::uint8_t kind;
  ByteView data;  ///< without kind and length; empty for kEnd and kNop
};

/// Walks from option to option. Borrows the bytes.
class OptionCursor {
 public:
  explicit OptionCursor(ByteView options) : left_(options) {}

  /// The next one. kEnd is the last. Empty behind the last, and where the options are malformed.
  std::optional<Option> next();
  /// After next() came back empty: an option's length was impossible.
  bool is_malformed() const { return malformed_; }

 private:
  ByteView left_;
  bool malformed_ = false;
};

}  // namespace vtep
