#include <fmt/format.h>
#include <linux/if.h>

#include "cli/commands.h"
#include "cli/link_grammar.h"
#include "cli/link_print.h"
#include "cli/list_printer.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int add(Words& words, Session& session) {
  const Parsed<v1::AddLinkRequest> request = parse_link_add(words);
  if (!request) return session.explain(request.error());
  session.console.err.write(port_notice(*request));
  const auto added = session.client.call(&v1::Vtep::Stub::AddLink, *request);
  return added ? kExitOk : session.explain(added.error());
}

int set(Words& words, Session& session) {
  const Parsed<v1::SetLinkRequest> request = parse_link_set(words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::SetLink, *request);
  return done ? kExitOk : session.explain(done.error());
}

int remove(Words& words, Session& session) {
  const Parsed<v1::DeleteLinkRequest> request = parse_link_delete(words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::DeleteLink, *request);
  return done ? kExitOk : session.explain(done.error());
}

int show(Words& words, Session& session) {
  const Parsed<LinkShow> wanted = parse_link_show(words);
  if (!wanted) return session.explain(wanted.error());
  v1::ListLinksRequest request;
  request.set_name(wanted->name);
  const auto response = session.client.call(&v1::Vtep::Stub::ListLinks, request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  ListPrinter printer(session.console.out, format);
  for (const v1::Link& link : response->links()) {
    if (wanted->up && (link.device().flags() & IFF_UP) == 0) continue;
    printer.print(
        link, [&](const v1::Link& each) { return link_text(each, format, LinkForm::kShow); },
        [&](const v1::Link& each) { return link_json(each, format); });
  }
  printer.end();
  return kExitOk;
}

}  // namespace

int run_link(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (words.take_abbreviation("add")) return add(words, session);
  if (words.take_abbreviation("set") || words.take_abbreviation("change")) return set(words, session);
  if (words.take_abbreviation("delete")) return remove(words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kLinkUsage)});
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'link {}': see 'vtep link help'", words.peek())});
}

}  // namespace vtep
