#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/list_printer.h"
#include "cli/source_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

Parsed<v1::ListSourcesRequest> parse_source_show(Words& words) {
  v1::ListSourcesRequest request;
  if (!words.done()) request.set_name(std::string(words.take()));
  if (!words.done())
    words.fail(fmt::format("'{}' makes no sense here: see 'vtep source help'", words.peek()));
  return words.parsed(std::move(request));
}

int show(Words& words, Session& session) {
  const Parsed<v1::ListSourcesRequest> request = parse_source_show(words);
  if (!request) return session.explain(request.error());
  const auto response = session.client.call(&v1::Vtep::Stub::ListSources, *request);
  if (!response) return session.explain(response.error());
  const Format& format = session.options.format;
  ListPrinter printer(session.console.out, format);
  for (const v1::Source& source : response->sources()) {
    printer.print(
        source, [&](const v1::Source& one) { return source_text(one, format); },
        [&](const v1::Source& one) { return source_json(one, format); });
  }
  printer.end();
  return kExitOk;
}

}  // namespace

int run_source(Words& words, Session& session) {
  if (words.done() || words.take_abbreviation("show") || words.take_abbreviation("lst") ||
      words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kSourceUsage)});
  return session.explain(
      {NotParsed::Why::kWrong,
       fmt::format("there is no command 'source {}': see 'vtep source help'", words.peek())});
}

}  // namespace vtep
