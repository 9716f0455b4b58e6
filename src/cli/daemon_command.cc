// A restart as the command sees it: the daemon says yes, closes the connection when it ends, and the one that
// takes its place listens on the same socket. The process id may well stay the same, so the connection is
// what tells the old daemon from the new one.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/daemon_print.h"
#include "cli/usage.h"

namespace vtep {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLimit{60};  // for a daemon to end, or to come back
constexpr std::chrono::seconds kQuiet{1};   // before progress is shown
constexpr std::chrono::milliseconds kPollInterval{50};

// Says what it waits for once that takes long, and adds a dot every second.
class Progress {
 public:
  Progress(Output& err, std::string_view what) : err_(err), what_(what), next_(Clock::now() + kQuiet) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (!shown_) return;
    err_.write("\n");
    err_.flush();
  }

  /// To be called several times a second.
  void tick() {
    if (Clock::now() < next_) return;
    err_.write(shown_ ? "." : fmt::format("vtep: waiting for {} ", what_));
    err_.flush();
    shown_ = true;
    next_ += std::chrono::seconds(1);
  }

 private:
  Output& err_;
  const std::string_view what_;
  Clock::time_point next_;
  bool shown_ = false;
};

bool answers(Client& client) {
  if (client.call(&v1::Vtep::Stub::GetDaemon, v1::GetDaemonRequest())) return true;
  client.disconnect();
  return false;
}

int show(Session& session) {
  const auto daemon = session.client.call(&v1::Vtep::Stub::GetDaemon, v1::GetDaemonRequest());
  if (!daemon) return session.explain(daemon.error());
  const Format& format = session.options.format;
  if (format.json) {
    JsonList list(session.console.out, format.pretty);
    list.add(daemon_json(*daemon));
    list.end();
  } else {
    session.console.out.write(daemon_text(*daemon));
  }
  return kExitOk;
}

// Waits until `done` or the limit.
template <typename Done>
bool wait_for(Session& session, std::string_view what, Done done) {
  Progress progress(session.console.err, what);
  const Clock::time_point limit = Clock::now() + kLimit;
  while (!done()) {
    if (Clock::now() > limit) return false;
    progress.tick();
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

int end(v1::StopDaemonRequest::Mode mode, Session& session) {
  v1::StopDaemonRequest request;
  request.set_mode(mode);
  if (const Result<void> connected = session.client.connect(); !connected)
    return session.explain(connected.error());
  const auto answer = session.client.call(&v1::Vtep::Stub::StopDaemon, request);
  const bool ended_already = !answer && answer.error().kind == ErrorKind::kUnavailable &&
                             session.client.wait_until_closed(Clock::now());
  if (!answer && !ended_already) return session.explain(answer.error());

  const bool ended = wait_for(session, "the daemon to end",
                              [&] { return session.client.wait_until_closed(Clock::now() + kPollInterval); });
  if (!ended) {
    return session.explain(
        Error{ErrorKind::kUnavailable,
              fmt::format("the daemon has not ended within {} seconds: look into its log", kLimit.count())});
  }
  session.client.disconnect();
  if (mode != v1::StopDaemonRequest::MODE_RESTART) return kExitOk;

  const bool is_back = wait_for(session, "the new daemon to answer", [&] { return answers(session.client); });
  if (!is_back) {
    return session.explain(
        Error{ErrorKind::kUnavailable,
              fmt::format("no new daemon answers on {} after {} seconds: look into its log",
                          session.client.socket(), kLimit.count())});
  }
  return kExitOk;
}

}  // namespace

int run_daemon(Words& words, Session& session) {
  const std::string_view command = words.done() ? "show" : words.take();
  if (abbreviates(command, "help"))
    return session.explain({NotParsed::Why::kHelp, std::string(kDaemonUsage)});
  if (!words.done()) {
    return session.explain({NotParsed::Why::kWrong,
                            fmt::format("'{}' makes no sense behind 'daemon {}'", words.peek(), command)});
  }
  if (abbreviates(command, "show")) return show(session);
  // These end forwarding, or a daemon: they cannot be shortened.
  if (command == "stop") return end(v1::StopDaemonRequest::MODE_STOP, session);
  if (command == "detach") return end(v1::StopDaemonRequest::MODE_DETACH, session);
  if (command == "restart") return end(v1::StopDaemonRequest::MODE_RESTART, session);
  return session.explain({NotParsed::Why::kWrong,
                          fmt::format("there is no command 'daemon {}': see 'vtep daemon help'", command)});
}

}  // namespace vtep
