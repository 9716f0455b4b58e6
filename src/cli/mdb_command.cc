#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/mdb_grammar.h"
#include "cli/mdb_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int change(v1::ChangeOperation operation, Words& words, Session& session) {
  const Parsed<v1::MdbChange> request = parse_mdb_change(operation, words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::ChangeMdb, *request);
  return done ? kExitOk : session.explain(done.error());
}

int show(Words& words, Session& session) {
  const Parsed<v1::ListMdbRequest> request = parse_mdb_show(words);
  if (!request) return session.explain(request.error());
  const auto response = session.client.call(&v1::Vtep::Stub::ListMdb, *request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  Output& out = session.console.out;
  if (format.json) {
    JsonList list(out, format.pretty);
    list.add(mdb_json(*response, format));
    list.end();
    return kExitOk;
  }
  for (const v1::MdbEntry& entry : response->entries()) out.write(mdb_text(entry, format));
  return kExitOk;
}

}  // namespace

int run_mdb(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (words.take_abbreviation("add")) return change(v1::CHANGE_ADD, words, session);
  if (words.take_abbreviation("replace")) return change(v1::CHANGE_REPLACE, words, session);
  if (words.take_abbreviation("delete")) return change(v1::CHANGE_DELETE, words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kMdbUsage)});
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'mdb {}': see 'vtep mdb help'", words.peek())});
}

}  // namespace vtep
