// One streaming call that may be silent for a while but not for ever. gRPC's deadline is for a whole call; a
// table of a million entries behind a pager has none, yet every single step of it has.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>

namespace vtep {

class CallQueue {
 public:
  /// Operations are started with this tag, one at a time, and each is followed by wait().
  static constexpr void* kTag = nullptr;

  /// `context` is the call's and outlives the queue; it is cancelled when a step takes longer than
  /// `patience`.
  CallQueue(grpc::ClientContext& context, std::chrono::seconds patience)
      : context_(context), patience_(patience) {}
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;
  ~CallQueue() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue* get() { return &queue_; }
  /// Where Finish() is to put the call's end.
  grpc::Status& status() { return status_; }

  /// Waits for the operation that was started. False: it failed, or took too long; go on with Finish().
  bool wait() {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + patience_;
    if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) return ok;
    context_.TryCancel();
    queue_.Next(&tag, &ok);
    return false;
  }

 private:
  grpc::ClientContext& context_;
  const std::chrono::seconds patience_;
  grpc::CompletionQueue queue_;
  grpc::Status status_;
};

}  // namespace vtep
