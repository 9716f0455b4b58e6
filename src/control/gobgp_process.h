// A gobgpd of our own: started, listening on a socket of its own, started again when it ends, and ended with
// the object.
//
// Thread safety: belongs to the loop's thread. The loop outlives it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "control/backoff.h"
#include "io/child_process.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

class GobgpProcess {
 public:
  /// Answers at unix://`socket` as soon as it can. `trouble` is called when it cannot be started or has
  /// ended; then it is tried again.
  GobgpProcess(Loop& loop, std::string socket, std::function<void(const Error&)> trouble);
  ~GobgpProcess();
  GobgpProcess(const GobgpProcess&) = delete;
  GobgpProcess& operator=(const GobgpProcess&) = delete;

  /// For GobgpClient.
  std::string address() const { return "unix://" + socket_; }
  /// 0: it does not run.
  int pid() const { return child_ == nullptr ? 0 : child_->pid(); }

 private:
  void start();
  void again(const Error& why);

  Loop& loop_;
  const std::string socket_;
  const std::function<void(const Error&)> trouble_;
  std::unique_ptr<ChildProcess> child_;
  std::string last_line_;
  Time started_{};
  std::size_t failures_ = 0;
  Backoff backoff_;
  Timer retry_{loop_};
};

}  // namespace vtep
