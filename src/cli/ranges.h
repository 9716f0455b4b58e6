// Lists of numbers and ranges of them, as `bridge` takes its VNIs: "10-12,20".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cli/words.h"

namespace vtep {

/// What a list may hold.
struct RangeRules {
  std::uint32_t min;
  std::uint32_t max;
  std::size_t most;       ///< numbers in the list
  std::string_view what;  ///< what is expected: "a VNI from 0 to 16777215"
};

/// The numbers of the next word, in its order. Fails `words` with a sentence that names `keyword` if there is
/// something else, a range runs backwards, or a number is there twice; empty then.
std::vector<std::uint32_t> read_ranges(Words& words, std::string_view keyword, const RangeRules& rules);

}  // namespace vtep
