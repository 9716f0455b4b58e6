// What one run of `vtep` carries from command to command: its options, its daemon, and where it prints.
#pragma once

#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/client.h"
#include "cli/not_parsed.h"
#include "cli/options.h"
#include "cli/output.h"

namespace vtep {

/// What the shell is told.
inline constexpr int kExitOk = 0;
inline constexpr int kExitWrongWords = 1;
inline constexpr int kExitRefused = 2;

/// Standard input, output and error, or a test's.
struct Console {
  std::istream& in;
  Output& out;
  Output& err;
};

struct Session {
  Options options;
  Console& console;
  Client client;
  std::string place = {};  ///< in a batch: "FILE:LINE: ", in front of every complaint

  /// Each prints what there is to say and returns the exit code for it.
  int explain(const NotParsed& reason);
  int explain(const Error& error);
  /// One line on standard error: "vtep: …".
  void complain(std::string_view sentence);
};

}  // namespace vtep
