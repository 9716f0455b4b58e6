// A thread with a loop of its own and a worker in it; or, for tests, a worker in the caller's loop.
//
// Thread safety: all functions are called by one thread, that which made it. call() is how it reaches into
// the worker, which belongs to the worker's thread.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"
#include "base/time.h"
#include "daemon/worker.h"
#include "io/loop.h"

namespace vtep {

class WorkerThread {
 public:
  using Make = std::function<std::unique_ptr<Worker>(Loop&)>;

  /// Starts it. `make` is called on the new thread. `name` is what `top -H` shows.
  static Result<std::unique_ptr<WorkerThread>> start(const std::string& name, Duration spin, Make make);
  /// Without a thread: `loop` is the caller's, and call() a mere call.
  static std::unique_ptr<WorkerThread> in(Loop& loop, const Make& make);
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  /// Returns when the worker's thread has done it, between two wake-ups. Never with the engine's lock held:
  /// the worker may be waiting for it.
  void call(const std::function<void(Worker&)>& work);

 private:
  WorkerThread() = default;

  std::unique_ptr<Loop> loop_;  // null: the caller's
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace vtep
