#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/list_printer.h"
#include "cli/remote_grammar.h"
#include "cli/remote_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int set(Words& words, Session& session) {
  const Parsed<v1::Remote> request = parse_remote_set(words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::SetRemote, *request);
  return done ? kExitOk : session.explain(done.error());
}

int show(Words& words, Session& session) {
  const Parsed<v1::ListRemotesRequest> request = parse_remote_show(words);
  if (!request) return session.explain(request.error());
  const auto response = session.client.call(&v1::Vtep::Stub::ListRemotes, *request);
  if (!response) return session.explain(response.error());
  ListPrinter printer(session.console.out, session.options.format);
  for (const v1::Remote& remote : response->remotes()) printer.print(remote, remote_text, remote_json);
  printer.end();
  return kExitOk;
}

}  // namespace

int run_remote(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (words.take_abbreviation("set")) return set(words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kRemoteUsage)});
  return session.explain(
      {NotParsed::Why::kWrong,
       fmt::format("there is no command 'remote {}': see 'vtep remote help'", words.peek())});
}

}  // namespace vtep
