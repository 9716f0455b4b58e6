// The options in front of the object: `vtep -s -d link show`. As iproute2's they may be shortened, and take
// one dash or two.
#pragma once

#include <optional>
#include <string>

#include "cli/words.h"

namespace vtep {

/// How something is to be printed.
struct Format {
  int statistics = 0;  ///< how often -s was given
  int details = 0;     ///< how often -d was given
  bool json = false;
  bool pretty = false;  ///< only with json
  bool brief = false;
};

struct Options {
  Format format;
  std::string socket = "/run/vtep/vtepd.sock";
  std::optional<std::string> batch;  ///< a file of commands, "-" for standard input
  bool force = false;                ///< a batch goes on after an error
  bool version = false;
};

/// Reads the options and leaves `words` at the object. `socket` is the environment's VTEP_SOCKET; empty: not
/// set.
Parsed<Options> parse_options(Words& words, const std::string& socket);

}  // namespace vtep
