// The `vtep` command without its process: words in, text out, an exit code.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/session.h"

namespace vtep {

/// `words` do not include the command's own name; `socket` is the environment's VTEP_SOCKET, empty if not
/// set. Exit codes: 0, 1 if the words made no sense, 2 if the system refused. When the reader of standard
/// output has gone, that is no error.
int run_vtep(std::span<const std::string_view> words, const std::string& socket, Console& console);

}  // namespace vtep
