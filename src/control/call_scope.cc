#include "control/call_scope.h"

#include <utility>

namespace vtep {

void CallScope::close() {
  {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
  }
  const auto calls = std::exchange(calls_, {});
  for (const auto& [number, call] : calls) call.context->TryCancel();
}

void CallScope::post(std::function<void()> work) {
  // The lock is held for all of it, so that after close() nobody touches the loop, which may go then.
  const std::lock_guard lock(mutex_);
  if (!is_open_) return;
  loop_.post([self = shared_from_this(), work = std::move(work)] {
    if (self->is_open_) work();
  });
}

std::function<void(grpc::Status)> CallScope::begin(std::shared_ptr<grpc::ClientContext> context,
                                                   Finished finished) {
  const std::uint64_t number = next_number_++;
  calls_.emplace(number, Call{context, std::move(finished)});
  return [self = shared_from_this(), number, context = std::move(context)](grpc::Status status) {
    self->post([raw = self.get(), number, status = std::move(status)] { raw->finish(number, status); });
  };
}

void CallScope::finish(std::uint64_t number, const grpc::Status& status) {
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  // The context goes first: who is called may wait until it is gone.
  const Finished finished = std::move(found->second.finished);
  calls_.erase(found);
  finished(status);
}

}  // namespace vtep
