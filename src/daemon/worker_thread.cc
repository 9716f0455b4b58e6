#include "daemon/worker_thread.h"

#include <pthread.h>

#include <future>
#include <string>
#include <utility>

namespace vtep {

Result<std::unique_ptr<WorkerThread>> WorkerThread::start(const std::string& name, Duration spin, Make make) {
  std::unique_ptr<WorkerThread> self(new WorkerThread);
  auto loop = Loop::create();
  if (!loop) return std::unexpected(loop.error());
  self->loop_ = std::move(*loop);
  self->loop_->set_spinner(Spinner(spin));
  self->thread_ = std::thread([&loop = *self->loop_] { loop.run(); });
  ::pthread_setname_np(self->thread_.native_handle(), name.c_str());
  std::promise<void> made;
  self->loop_->post([&] {
    self->worker_ = make(*self->loop_);
    made.set_value();
  });
  made.get_future().wait();
  return self;
}

std::unique_ptr<WorkerThread> WorkerThread::in(Loop& loop, const Make& make) {
  std::unique_ptr<WorkerThread> self(new WorkerThread);
  self->worker_ = make(loop);
  return self;
}

WorkerThread::~WorkerThread() {
  if (loop_ == nullptr) return;
  call([this](Worker&) { worker_.reset(); });
  loop_->stop();
  thread_.join();
}

void WorkerThread::call(const std::function<void(Worker&)>& work) {
  if (loop_ == nullptr) return work(*worker_);
  std::promise<void> done;
  loop_->post([&] {
    work(*worker_);
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace vtep
