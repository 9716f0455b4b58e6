#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/list_printer.h"
#include "cli/nexthop_grammar.h"
#include "cli/nexthop_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int change(v1::ChangeOperation operation, Words& words, Session& session) {
  const Parsed<v1::NexthopChange> request = parse_nexthop_change(operation, words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::ChangeNexthop, *request);
  return done ? kExitOk : session.explain(done.error());
}

int list(const Parsed<NexthopShow>& wanted, Session& session) {
  if (!wanted) return session.explain(wanted.error());
  v1::ListNexthopsRequest request;
  request.set_id(wanted->id);
  const auto response = session.client.call(&v1::Vtep::Stub::ListNexthops, request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  ListPrinter printer(session.console.out, format);
  for (const v1::Nexthop& nexthop : response->nexthops()) {
    if (!wanted->shows(nexthop)) continue;
    printer.print(
        nexthop, [&](const v1::Nexthop& each) { return nexthop_text(each, format); },
        [&](const v1::Nexthop& each) { return nexthop_json(each, format); });
  }
  printer.end();
  return kExitOk;
}

}  // namespace

int run_nexthop(Words& words, Session& session) {
  if (words.done()) return list(NexthopShow(), session);
  if (words.take_abbreviation("add")) return change(v1::CHANGE_ADD, words, session);
  if (words.take_abbreviation("replace")) return change(v1::CHANGE_REPLACE, words, session);
  if (words.take_abbreviation("delete")) return change(v1::CHANGE_DELETE, words, session);
  if (words.take_abbreviation("list") || words.take_abbreviation("show") || words.take_abbreviation("lst")) {
    return list(parse_nexthop_show(words), session);
  }
  if (words.take_abbreviation("get")) return list(parse_nexthop_get(words), session);
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kNexthopUsage)});
  return session.explain(
      {NotParsed::Why::kWrong,
       fmt::format("there is no command 'nexthop {}': see 'vtep nexthop help'", words.peek())});
}

}  // namespace vtep
