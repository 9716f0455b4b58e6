// What the tests of this folder share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/not_parsed.h"
#include "cli/words.h"

namespace vtep {

/// A line's words, split at single blanks; `line` outlives them.
inline std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    if (end != 0) words.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return words;
}

/// The sentence with which `parse` refuses `line`; "parsed" or "help" if it does not.
template <typename Parse>
std::string refusal(Parse parse, std::string_view line) {
  Words words(split(line));
  const auto result = parse(words);
  if (result) return "parsed";
  return result.error().why == NotParsed::Why::kHelp ? "help" : result.error().text;
}

}  // namespace vtep
