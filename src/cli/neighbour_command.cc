#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/list_printer.h"
#include "cli/neighbour_grammar.h"
#include "cli/neighbour_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int change(v1::ChangeOperation operation, Words& words, Session& session) {
  const Parsed<v1::NeighbourChange> request = parse_neighbour_change(operation, words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::ChangeNeighbour, *request);
  return done ? kExitOk : session.explain(done.error());
}

int show(Words& words, Session& session) {
  const Parsed<NeighbourShow> wanted = parse_neighbour_show(words);
  if (!wanted) return session.explain(wanted.error());
  v1::ListNeighboursRequest request;
  request.set_dev(wanted->dev);
  const auto response = session.client.call(&v1::Vtep::Stub::ListNeighbours, request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  const NeighbourForm form = wanted->dev.empty() ? NeighbourForm::kWithDevice : NeighbourForm::kWithoutDevice;
  ListPrinter printer(session.console.out, format);
  for (const v1::Neighbour& neighbour : response->neighbours()) {
    if (!wanted->ip.empty() && neighbour.ip() != wanted->ip) continue;
    printer.print(
        neighbour, [&](const v1::Neighbour& each) { return neighbour_text(each, format, form); },
        [&](const v1::Neighbour& each) { return neighbour_json(each, format, form); });
  }
  printer.end();
  return kExitOk;
}

}  // namespace

int run_neighbour(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (words.take_abbreviation("add")) return change(v1::CHANGE_ADD, words, session);
  if (words.take_abbreviation("replace")) return change(v1::CHANGE_REPLACE, words, session);
  if (words.take_abbreviation("delete")) return change(v1::CHANGE_DELETE, words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kNeighbourUsage)});
  return session.explain(
      {NotParsed::Why::kWrong,
       fmt::format("there is no command 'neigh {}': see 'vtep neigh help'", words.peek())});
}

}  // namespace vtep
