// The one visible event loop: files, timers, and work posted by other threads.
//
// Theory of operation. A wake-up waits for files, for the first timer or for posted work, reads the clock,
// and then calls, in this order: the callbacks of files that are ready, the timers that are due (earliest
// first, equals in the order they were set), and posted work. A callback may do anything to the loop: watch,
// unwatch (itself too), set and cancel timers, post, stop. A timer set by a timer fires in the next wake-up
// at the earliest, so that files are never starved.
//
// With a Spinner it looks again for a while, leaving the processor to whoever else wants it, before it
// sleeps.
//
// Thread safety: everything belongs to the thread that calls run(), except post() and stop(), which any
// thread may call. The clock is read once per wake-up; now() returns that reading.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/spinner.h"

namespace vtep {

class Loop {
 public:
  using Callback = std::function<void()>;
  using TimerId = std::uint64_t;

  /// kSystem if the kernel gives no epoll or eventfd. The process may have as many files open afterwards as
  /// it is allowed to: each is one to watch.
  static Result<std::unique_ptr<Loop>> create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// How patiently it looks before it sleeps; at first not at all.
  void set_spinner(const Spinner& spinner) { spinner_ = spinner; }

  /// Calls `on_readable` whenever `fd` is readable or in error, until unwatch(fd). Level-triggered. The loop
  /// does not own the file. Precondition: fd is not watched yet.
  Result<void> watch(int fd, Callback on_readable);
  /// Harmless if fd is not watched. Call it before the file is closed. A callback may unwatch any file.
  void unwatch(int fd);

  /// Calls `callback` once, at `when` or soon after.
  TimerId at(Time when, Callback callback);
  /// Harmless if the timer has fired.
  void cancel(TimerId timer);

  /// Runs `work` on the loop's thread, in the order posted. Work posted after stop() may never run.
  void post(Callback work);

  /// Until stop(). Returns after the current wake-up's callbacks have run. A stop() that came before run() is
  /// not lost: run() returns after one wake-up. May be called again.
  void run();
  void stop();

  /// The time of this wake-up.
  Time now() const { return now_; }

 private:
  struct Watch {
    Callback on_readable;
    std::uint32_t generation;
  };

  Loop(int epoll_fd, int event_fd);
  int wait(std::span<epoll_event> events);
  int timeout_ms() const;
  void run_watch(std::uint64_t token);
  void run_timers();
  void run_posted();

  const int epoll_fd_;
  const int event_fd_;
  Time now_;
  Spinner spinner_;
  bool stopping_ = false;  // loop thread only; stop() goes through post()

  // Shared pointers, so that a callback may unwatch itself while it runs. The generation tells a file from an
  // earlier one of the same number, whose event may still wait in the same wake-up.
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;
  std::uint32_t next_generation_ = 1;
  std::map<std::pair<Time, TimerId>, Callback> timers_;
  std::unordered_map<TimerId, Time> timer_times_;
  TimerId next_timer_ = 1;

  std::mutex posted_mutex_;
  std::vector<Callback> posted_;  // guarded by posted_mutex_
  std::atomic<bool> has_posted_ =
      false;  // a look at it is cheaper than the lock, and most wake-ups bring none
};

}  // namespace vtep
