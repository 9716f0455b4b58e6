#include "cli/session.h"

#include <fmt/format.h>

namespace vtep {

int Session::explain(const NotParsed& reason) {
  if (reason.why == NotParsed::Why::kHelp) {
    console.out.write(reason.text);
    return kExitOk;
  }
  complain(reason.text);
  return kExitWrongWords;
}

int Session::explain(const Error& error) {
  complain(error.message);
  return error.kind == ErrorKind::kInvalid ? kExitWrongWords : kExitRefused;
}

void Session::complain(std::string_view sentence) {
  console.out.flush();  // what was printed before comes before, even if both are one terminal
  console.err.write(fmt::format("vtep: {}{}\n", place, sentence));
  console.err.flush();
}

}  // namespace vtep
