#include "wire/options.h"

namespace vtep {

std::optional<Option> OptionCursor::next() {
  if (left_.empty() || malformed_) return std::nullopt;
  const std::uint8_t kind = left_[0];
  if (kind == Option::kEnd || kind == Option::kNop) {
    left_ = kind == Option::kEnd ? ByteView() : left_.subspan(1);
    return Option{kind, {}};
  }
  // The length counts kind and length too, so less than two would go round in circles.
  if (left_.size() < 2 || left_[1] < 2 || left_[1] > left_.size()) {
    malformed_ = true;
    return std::nullopt;
  }
  const std::size_t length = left_[1];
  const Option option{kind, left_.subspan(2, length - 2)};
  left_ = left_.subspan(length);
  return option;
}

}  // namespace vtep
