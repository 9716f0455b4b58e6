#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/event_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

struct Monitor {
  v1::MonitorRequest request;
  bool banner = false;
};

Parsed<Monitor> parse_monitor(Words& words) {
  Monitor monitor;
  while (!words.done()) {
    if (words.take_word("all")) {
      monitor.banner = true;
      monitor.request.set_links(true);
      monitor.request.set_fdb(true);
      monitor.request.set_neighbours(true);
      monitor.request.set_mdb(true);
    } else if (words.take_abbreviation("link")) {
      monitor.request.set_links(true);
    } else if (words.take_abbreviation("fdb")) {
      monitor.request.set_fdb(true);
    } else if (words.take_abbreviation("neighbour") || words.take_abbreviation("neighbor")) {
      monitor.request.set_neighbours(true);
    } else if (words.take_abbreviation("mdb")) {
      monitor.request.set_mdb(true);
    } else if (words.take_abbreviation("help")) {
      words.help(kMonitorUsage);
    } else {
      words.fail(fmt::format("there is nothing called '{}' to watch: see 'vtep monitor help'", words.peek()));
    }
  }
  return words.parsed(std::move(monitor));
}

}  // namespace

int run_monitor(Words& words, Session& session) {
  const Parsed<Monitor> monitor = parse_monitor(words);
  if (!monitor) return session.explain(monitor.error());
  Output& out = session.console.out;
  const Result<void> ended = session.client.monitor(monitor->request, [&](const v1::Event& event) {
    out.write(event_text(event, session.options.format, monitor->banner));
    return out.flush();
  });
  return ended ? kExitOk : session.explain(ended.error());
}

}  // namespace vtep
