// A cursor over the words of one command.
//
// Like a stream it remembers its first failure: after fail() or help() nothing is left to read, every further
// reader returns an empty value, and parsed() hands out the reason. So a grammar reads straight through and
// looks once, at its end. The characters of the words belong to the caller and outlive the cursor. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/not_parsed.h"

namespace vtep {

/// True if `word` is the beginning of `full`, the way iproute2 lets its words be shortened. The empty word
/// shortens nothing.
bool abbreviates(std::string_view word, std::string_view full);

class Words {
 public:
  explicit Words(std::span<const std::string_view> words) : words_(words.begin(), words.end()) {}

  /// Nothing is left, or something failed.
  bool done() const { return failure_.has_value() || next_ == words_.size(); }
  /// The next word, which stays; empty when done().
  std::string_view peek() const { return done() ? std::string_view{} : words_[next_]; }
  /// The next word; empty when done().
  std::string_view take();
  /// Takes the next word if it is exactly this one.
  bool take_word(std::string_view word);
  /// Takes the next word if it abbreviates this one.
  bool take_abbreviation(std::string_view full);
  /// The value behind `keyword`; fails if the line ends here.
  std::string_view value_of(std::string_view keyword);
  /// Fails if this is the second time for `keyword`.
  void once(std::string_view keyword);

  void fail(std::string sentence);
  void help(std::string_view usage);
  bool failed() const { return failure_.has_value(); }

  /// `value`, or the first failure.
  template <typename T>
  Parsed<T> parsed(T value) const {
    if (failure_) return std::unexpected(*failure_);
    return value;
  }

 private:
  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
  std::vector<std::string_view> seen_;  // keywords that once() was asked about: literals
  std::optional<NotParsed> failure_;
};

}  // namespace vtep
