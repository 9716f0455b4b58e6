#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/usage.h"

namespace vtep {

int run_command(Words& words, Session& session) {
  // iproute2's way: the first object that the word may stand for.
  if (words.take_abbreviation("link")) return run_link(words, session);
  if (words.take_abbreviation("fdb")) return run_fdb(words, session);
  if (words.take_abbreviation("drop")) return run_drop(words, session);
  if (words.take_abbreviation("monitor")) return run_monitor(words, session);
  if (words.take_abbreviation("daemon")) return run_daemon(words, session);
  if (words.take_abbreviation("neighbour") || words.take_abbreviation("neighbor")) {
    return run_neighbour(words, session);
  }
  if (words.take_abbreviation("nexthop")) return run_nexthop(words, session);
  if (words.take_abbreviation("vni")) return run_vni(words, session);
  if (words.take_abbreviation("mdb")) return run_mdb(words, session);
  if (words.take_abbreviation("remote")) return run_remote(words, session);
  if (words.take_abbreviation("source")) return run_source(words, session);
  if (words.take_abbreviation("help")) return session.explain({NotParsed::Why::kHelp, std::string(kUsage)});
  return session.explain(
      {NotParsed::Why::kWrong, fmt::format("there is no object '{}': see 'vtep help'", words.peek())});
}

}  // namespace vtep
