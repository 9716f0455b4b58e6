// `vtep -batch FILE`: one command a line. Changes to the forwarding table that follow each other travel in
// one call, so that a million of them take seconds.
#pragma once

#include <istream>
#include <string>

#include "cli/session.h"

namespace vtep {

/// Runs the commands of `input`; `name` is what complaints call it. Stops at the first that fails, unless the
/// session's options say -force. Returns the exit code of the first that failed, or 0.
int run_batch(std::istream& input, const std::string& name, Session& session);

}  // namespace vtep
