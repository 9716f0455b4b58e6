#include "cli/app.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/usage.h"
#include "cli/version.h"

namespace vtep {

namespace {

int run_batch_file(Session& session) {
  const std::string& name = *session.options.batch;
  if (name == "-") return run_batch(session.console.in, "stdin", session);
  std::ifstream file(name);
  if (!file) {
    return session.explain(
        Error{ErrorKind::kSystem, fmt::format("cannot read {}: {}", name, std::strerror(errno))});
  }
  return run_batch(file, name, session);
}

int run(Words& words, Session& session) {
  if (session.options.version) {
    session.console.out.write(fmt::format("vtep utility, vtep-{}\n", kVersion));
    return kExitOk;
  }
  if (session.options.batch) {
    if (!words.done()) {
      return session.explain(
          {NotParsed::Why::kWrong,
           fmt::format("'{}' makes no sense behind -batch FILE: the commands are in the file",
                       words.peek())});
    }
    return run_batch_file(session);
  }
  if (words.done()) {
    session.console.err.write(kUsage);
    return kExitWrongWords;
  }
  return run_command(words, session);
}

}  // namespace

int run_vtep(std::span<const std::string_view> all_words, const std::string& socket, Console& console) {
  Words words(all_words);
  const Parsed<Options> options = parse_options(words, socket);
  Session session{options.value_or(Options()), console, Client(options.value_or(Options()).socket)};
  const int exit_code = options ? run(words, session) : session.explain(options.error());
  if (!console.out.flush() && console.out.error() != EPIPE) {
    return session.explain(
        Error{ErrorKind::kSystem, fmt::format("cannot write: {}", std::strerror(console.out.error()))});
  }
  return exit_code;
}

}  // namespace vtep
