#include "cli/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace vtep {

bool abbreviates(std::string_view word, std::string_view full) {
  return !word.empty() && full.starts_with(word);
}

std::string_view Words::take() {
  if (done()) return {};
  return words_[next_++];
}

bool Words::take_word(std::string_view word) {
  if (done() || peek() != word) return false;
  ++next_;
  return true;
}

bool Words::take_abbreviation(std::string_view full) {
  if (!abbreviates(peek(), full)) return false;
  ++next_;
  return true;
}

std::string_view Words::value_of(std::string_view keyword) {
  if (done()) fail(fmt::format("'{}' needs a value, and the line ends after it", keyword));
  return take();
}

void Words::once(std::string_view keyword) {
  if (std::ranges::find(seen_, keyword) != seen_.end()) fail(fmt::format("'{}' is given twice", keyword));
  seen_.push_back(keyword);
}

void Words::fail(std::string sentence) {
  if (!failure_) failure_ = NotParsed{NotParsed::Why::kWrong, std::move(sentence)};
}

void Words::help(std::string_view usage) {
  if (!failure_) failure_ = NotParsed{NotParsed::Why::kHelp, std::string(usage)};
}

}  // namespace vtep
