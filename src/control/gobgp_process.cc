#include "control/gobgp_process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <random>
#include <utility>

#include "control/printable.h"

namespace vtep {
namespace {

/// Who has run as long did not fail to start.
constexpr Duration kGoodRun = std::chrono::seconds(10);

}  // namespace

GobgpProcess::GobgpProcess(Loop& loop, std::string socket, std::function<void(const Error&)> trouble)
    : loop_(loop),
      socket_(std::move(socket)),
      trouble_(std::move(trouble)),
      backoff_(std::random_device()()) {
  start();
}

GobgpProcess::~GobgpProcess() {
  child_.reset();
  ::unlink(socket_.c_str());
}

void GobgpProcess::start() {
  ::unlink(socket_.c_str());  // of one that was killed
  started_ = loop_.now();
  auto child = ChildProcess::start(
      loop_, {"gobgpd", "--api-hosts", address(), "--pprof-disable", "--log-plain", "--log-level", "warn"},
      {.on_line = [this](const std::string& line) { last_line_ = printable(line); },
       .on_end =
           [this](const std::string& how) {
             child_.reset();
             again({ErrorKind::kUnavailable, fmt::format("gobgpd has ended ({}){}{}", how,
                                                         last_line_.empty() ? "" : ": ", last_line_)});
           }});
  if (child) {
    child_ = std::move(*child);
    return;
  }
  const bool is_missing = child.error().kind == ErrorKind::kNotFound;
  again({child.error().kind,
         child.error().message + (is_missing ? "; Debian has it as the package gobgpd" : "")});
}

void GobgpProcess::again(const Error& why) {
  if (loop_.now() - started_ >= kGoodRun) failures_ = 0;
  ++failures_;
  retry_.set(backoff_.after(failures_, 1), [this] { start(); });
  // Last: it may be the end of us.
  trouble_(why);
}

}  // namespace vtep
