#include "cli/ranges.h"

#include <fmt/format.h>

#include <optional>
#include <unordered_set>

#include "base/number.h"

namespace vtep {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

std::optional<Range> parse_range(std::string_view text, const RangeRules& rules) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash), rules.max);
  const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1), rules.max);
  if (!first || !last || *first < rules.min || *last < *first) return std::nullopt;
  return Range{static_cast<std::uint32_t>(*first), static_cast<std::uint32_t>(*last)};
}

}  // namespace

std::vector<std::uint32_t> read_ranges(Words& words, std::string_view keyword, const RangeRules& rules) {
  const std::string_view word = words.value_of(keyword);
  std::vector<std::uint32_t> numbers;
  std::unordered_set<std::uint32_t> seen;
  std::string_view rest = word;
  bool more = !words.failed();
  while (more) {
    const std::size_t comma = rest.find(',');
    const std::optional<Range> range = parse_range(rest.substr(0, comma), rules);
    if (!range) {
      words.fail(fmt::format("'{} {}' makes no sense: {}, a range like 10-12 or a list of these is expected",
                             keyword, word, rules.what));
      return {};
    }
    if (numbers.size() + range->last - range->first >= rules.most) {
      words.fail(fmt::format("'{} {}' is too much at once: {} are the most", keyword, word, rules.most));
      return {};
    }
    for (std::uint32_t number = range->first; number <= range->last; ++number) {
      if (!seen.insert(number).second) {
        words.fail(fmt::format("'{} {}' has {} twice", keyword, word, number));
        return {};
      }
      numbers.push_back(number);
    }
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return numbers;
}

}  // namespace vtep
