// A program that runs for us: started with arguments, watched until it ends, and ended with the object. It
// does not outlive this process, however that ends.
//
// What it writes is read line by line and handed on, so that it never waits for us.
//
// Thread safety: belongs to the loop's thread. The loop outlives it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"

namespace vtep {

class ChildProcess {
 public:
  struct Handlers {
    /// Of its standard output and error, without the line's end; what is too long is cut off.
    std::function<void(const std::string& line)> on_line;
    /// It has ended, in words ("exit status 1", "signal 9"). The handler may destroy the object.
    std::function<void(const std::string& how)> on_end;
  };

  /// `words`: the program, found along PATH, and its arguments. kNotFound if there is no such program,
  /// kSystem for what else the kernel refuses.
  static Result<std::unique_ptr<ChildProcess>> start(Loop& loop, const std::vector<std::string>& words,
                                                     Handlers handlers);
  /// Asks it to end (SIGTERM), waits for at most a second, and ends it (SIGKILL).
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  int pid() const { return pid_; }

 private:
  ChildProcess(Loop& loop, int pid, int pid_fd, int output_fd, Handlers handlers);
  /// A buffer full. False: there is nothing more for now, or ever.
  bool read_output();
  void end_seen();

  Loop& loop_;
  int pid_;  // 0: it has ended
  const int pid_fd_;
  const int output_fd_;
  const Handlers handlers_;
  std::string line_;  // what has come of it
};

}  // namespace vtep
