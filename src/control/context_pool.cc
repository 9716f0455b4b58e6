#include "control/context_pool.h"

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace vtep {

struct ContextPool::Count {
  std::mutex mutex;
  std::condition_variable is_empty;
  std::size_t contexts = 0;  // guarded by mutex
};

ContextPool::ContextPool() : count_(std::make_shared<Count>()) {}

std::shared_ptr<grpc::ClientContext> ContextPool::make() {
  {
    const std::lock_guard lock(count_->mutex);
    ++count_->contexts;
  }
  return {new grpc::ClientContext, [count = count_](grpc::ClientContext* context) {
            delete context;  // and lets its channel go, before that is counted
            const std::lock_guard lock(count->mutex);
            if (--count->contexts == 0) count->is_empty.notify_all();
          }};
}

void ContextPool::wait_until_empty() {
  std::unique_lock lock(count_->mutex);
  count_->is_empty.wait(lock, [this] { return count_->contexts == 0; });
}

}  // namespace vtep
