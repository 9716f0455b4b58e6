// One line of a batch file in words, as iproute2 splits it. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "cli/not_parsed.h"

namespace vtep {

/// Words are separated by blanks; '…' and "…" keep blanks together; '#' begins a comment, even inside a word.
/// The words point into `line`.
Parsed<std::vector<std::string_view>> split_line(std::string_view line);

}  // namespace vtep
