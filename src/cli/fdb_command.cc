#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/fdb_grammar.h"
#include "cli/fdb_print.h"
#include "cli/fdb_writer.h"
#include "cli/list_printer.h"
#include "cli/usage.h"

namespace vtep {

namespace {

int change(v1::FdbChange::Operation operation, Words& words, Session& session) {
  const Parsed<v1::FdbChange> parsed = parse_fdb_change(operation, words);
  if (!parsed) return session.explain(parsed.error());
  if (const Result<void> connected = session.client.connect(); !connected)
    return session.explain(connected.error());
  FdbWriter writer(session.client);
  writer.write(*parsed, false);
  const Result<v1::ChangeFdbResponse> response = writer.finish();
  if (!response) return session.explain(response.error());
  if (response->refused() != 0) return session.explain(Error{ErrorKind::kSystem, response->first_refusal()});
  return kExitOk;
}

/// Prints entries as they come; holds none. False when nobody reads any more.
bool print(ListPrinter& printer, const v1::FdbEntry& entry, const Session& session, FdbForm form) {
  const Format& format = session.options.format;
  printer.print(
      entry, [&](const v1::FdbEntry& each) { return fdb_text(each, format, form); },
      [&](const v1::FdbEntry& each) { return fdb_json(each, format, form); });
  return session.console.out.ok();
}

int show(Words& words, Session& session) {
  const Parsed<FdbShow> wanted = parse_fdb_show(words);
  if (!wanted) return session.explain(wanted.error());
  v1::ListFdbRequest request;
  request.set_dev(wanted->dev);
  const FdbForm form = wanted->dev.empty() ? FdbForm::kWithDevice : FdbForm::kWithoutDevice;
  ListPrinter printer(session.console.out, session.options.format);
  const Result<void> listed = session.client.list_fdb(request, [&](const v1::FdbEntry& entry) {
    return !wanted->shows(entry) || print(printer, entry, session, form);
  });
  if (!listed) return session.explain(listed.error());
  printer.end();
  return kExitOk;
}

int get(Words& words, Session& session) {
  const Parsed<FdbGet> wanted = parse_fdb_get(words);
  if (!wanted) return session.explain(wanted.error());
  v1::ListFdbRequest request;
  request.set_dev(wanted->dev);
  request.set_mac(wanted->mac);
  ListPrinter printer(session.console.out, session.options.format);
  bool found = false;
  const Result<void> listed = session.client.list_fdb(request, [&](const v1::FdbEntry& entry) {
    if (!wanted->is(entry)) return true;
    found = true;
    print(printer, entry, session, FdbForm::kWithDevice);
    return false;  // `bridge fdb get` prints one remote of a flood list too
  });
  if (!listed) return session.explain(listed.error());
  if (!found) {
    return session.explain(
        Error{ErrorKind::kNotFound, fmt::format("{} has no such entry for {}", wanted->dev, wanted->mac)});
  }
  printer.end();
  return kExitOk;
}

int flush(Words& words, Session& session) {
  const Parsed<v1::FlushFdbRequest> request = parse_fdb_flush(words);
  if (!request) return session.explain(request.error());
  const auto done = session.client.call(&v1::Vtep::Stub::FlushFdb, *request);
  return done ? kExitOk : session.explain(done.error());
}

}  // namespace

int run_fdb(Words& words, Session& session) {
  if (words.done()) return show(words, session);
  if (const auto operation = take_fdb_operation(words)) return change(*operation, words, session);
  if (words.take_abbreviation("get")) return get(words, session);
  if (words.take_abbreviation("show") || words.take_abbreviation("lst") || words.take_abbreviation("list")) {
    return show(words, session);
  }
  if (words.take_word("flush")) return flush(words, session);
  if (words.take_abbreviation("help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kFdbUsage)});
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'fdb {}': see 'vtep fdb help'", words.peek())});
}

}  // namespace vtep
