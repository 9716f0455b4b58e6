#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/usage.h"
#include "cli/vni_grammar.h"
#include "cli/vni_print.h"

namespace vtep {

namespace {

int change(v1::ChangeOperation operation, Words& words, Session& session) {
  const Parsed<std::vector<v1::VniChange>> changes = parse_vni_change(operation, words);
  if (!changes) return session.explain(changes.error());
  for (const v1::VniChange& each : *changes) {
    const auto done = session.client.call(&v1::Vtep::Stub::ChangeVni, each);
    if (done) continue;
    if (changes->size() == 1) return session.explain(done.error());
    // Those in front of it are done, and stay so.
    return session.explain(
        Error{done.error().kind, fmt::format("VNI {}: {}", each.entry().vni(), done.error().message)});
  }
  return kExitOk;
}

int show(Words& words, Session& session) {
  const Parsed<v1::ListVnisRequest> request = parse_vni_show(words);
  if (!request) return session.explain(request.error());
  const auto response = session.client.call(&v1::Vtep::Stub::ListVnis, *request);
  if (!response) return session.explain(response.error());

  const Format& format = session.options.format;
  if (!format.json) {
    session.console.out.write(vnis_text(*response, format));
    return kExitOk;
  }
  JsonList list(session.console.out, format.pretty);
  for (const Json& link : vnis_json(*response, format)) list.add(link);
  list.end();
  return kExitOk;
}

}  // namespace

int run_vni(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (words.take_abbreviation("add")) return change(v1::CHANGE_ADD, words, session);
  if (words.take_abbreviation("delete")) return change(v1::CHANGE_DELETE, words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kVniUsage)});
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'vni {}': see 'vtep vni help'", words.peek())});
}

}  // namespace vtep
