// What one owner has under way with gRPC. gRPC answers from threads of its own, when it likes; the owner
// belongs to the loop's thread and may go at any moment. A scope stands between the two: what gRPC brings is
// posted to the loop and runs there only if the scope is still open then.
//
// gRPC's threads never own anything of the owner's: callbacks stay in the scope, gRPC gets a number. So they
// are also destroyed in the loop's thread, at the latest by close().
//
// Thread safety: belongs to the loop's thread, except post() and what begin() returns, which any thread may
// call. Shared between the owner, which closes it when it goes, and gRPC's threads. The loop outlives the
// owner, not the scope.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "io/loop.h"

namespace vtep {

class CallScope : public std::enable_shared_from_this<CallScope> {
 public:
  using Finished = std::function<void(const grpc::Status&)>;

  explicit CallScope(Loop& loop) : loop_(loop) {}
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  bool is_open() const { return is_open_; }
  /// From now on nothing runs any more, even if it was posted before, and the calls under way are cancelled.
  void close();

  /// Runs `work` in the loop's thread, never at once, if the scope is still open then.
  void post(std::function<void()> work);

  /// A call begins. Returns what gRPC is to call when it has ended; `finished` then runs in the loop's
  /// thread. The context is kept until then. Precondition: the scope is open.
  std::function<void(grpc::Status)> begin(std::shared_ptr<grpc::ClientContext> context, Finished finished);

 private:
  struct Call {
    std::shared_ptr<grpc::ClientContext> context;
    Finished finished;
  };
  void finish(std::uint64_t number, const grpc::Status& status);

  Loop& loop_;
  std::mutex mutex_;
  // Written in the loop's thread with mutex_ held: read there without it, elsewhere with it.
  bool is_open_ = true;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t next_number_ = 1;
};

}  // namespace vtep
