// What a grammar makes of a line of words: a request, or the reason why there is none.
#pragma once

#include <expected>
#include <string>

namespace vtep {

struct NotParsed {
  enum class Why {
    kWrong,  ///< the words make no sense: `text` is one sentence, `vtep` exits with 1
    kHelp,   ///< somebody asked how: `text` is the usage, `vtep` exits with 0
  };
  Why why = Why::kWrong;
  std::string text;

  friend bool operator==(const NotParsed&, const NotParsed&) = default;
};

template <typename T>
using Parsed = std::expected<T, NotParsed>;

}  // namespace vtep
