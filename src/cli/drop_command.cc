#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/drop_print.h"
#include "cli/usage.h"
#include "cli/values.h"

namespace vtep {

namespace {

Parsed<v1::ListDropsRequest> parse_drop_show(Words& words) {
  v1::ListDropsRequest request;
  request.set_dev(read_show(words, "drop", kDropUsage));
  return words.parsed(std::move(request));
}

int show(Words& words, Session& session) {
  const Parsed<v1::ListDropsRequest> request = parse_drop_show(words);
  if (!request) return session.explain(request.error());
  const auto response = session.client.call(&v1::Vtep::Stub::ListDrops, *request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  const bool with_zero = format.details > 0;
  if (!format.json) {
    session.console.out.write(drops_text(*response, with_zero));
    return kExitOk;
  }
  JsonList list(session.console.out, format.pretty);
  for (const v1::DropCount& drop : response->drops()) {
    if (with_zero || drop.count() != 0) list.add(drop_json(drop));
  }
  list.end();
  return kExitOk;
}

}  // namespace

int run_drop(Words& words, Session& session) {
  if (words.done() || words.take_abbreviation("show") || words.take_abbreviation("lst") ||
      words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kDropUsage)});
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'drop {}': see 'vtep drop help'", words.peek())});
}

}  // namespace vtep
