#include "cli/batch_line.h"

namespace vtep {

Parsed<std::vector<std::string_view>> split_line(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t start = line.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    const bool is_quoted = line.front() == '\'' || line.front() == '"';
    const std::size_t end = is_quoted ? line.find(line.front(), 1) : line.find_first_of(kBlanks);
    if (is_quoted && end == std::string_view::npos) {
      return std::unexpected(NotParsed{NotParsed::Why::kWrong, "the quotation mark has no second one"});
    }
    words.push_back(is_quoted ? line.substr(1, end - 1) : line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end + 1);
  }
}

}  // namespace vtep
