#include "daemon/monitor.h"

#include <utility>

namespace vtep {
namespace {

/// Misses belong to the forwarding table: they are what it does not have.
bool wants(const v1::MonitorRequest& request, const v1::Event& event) {
  if (wants_everything(request)) return true;
  switch (event.subject_case()) {
    case v1::Event::kLink:
      return request.links();
    case v1::Event::kFdb:
    case v1::Event::kMiss:
      return request.fdb();
    case v1::Event::kNeighbour:
      return request.neighbours();
    case v1::Event::kMdb:
      return request.mdb();
    case v1::Event::kLost:
    case v1::Event::SUBJECT_NOT_SET:
      break;
  }
  return true;
}

}  // namespace

bool wants_everything(const v1::MonitorRequest& request) {
  const bool any = request.links() || request.fdb() || request.neighbours() || request.mdb();
  const bool all = request.links() && request.fdb() && request.neighbours() && request.mdb();
  return !any || all;
}

std::optional<v1::Event> Monitor::Subscription::next(Duration patience) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, patience, [this] { return !queue_.empty() || lost_ != 0 || closed_; });
  // The queue was full when events were lost: what it holds is older than the gap.
  if (!queue_.empty()) {
    v1::Event event = std::move(queue_.front());
    queue_.pop_front();
    return event;
  }
  if (lost_ == 0) return std::nullopt;
  v1::Event event;
  event.set_lost(std::exchange(lost_, 0));
  return event;
}

bool Monitor::Subscription::is_open() const {
  const std::lock_guard lock(mutex_);
  return !closed_ || !queue_.empty();
}

void Monitor::Subscription::push(const v1::Event& event) {
  const std::lock_guard lock(mutex_);
  if (!wants(wanted_, event)) return;
  // After a loss nothing is queued until the watcher has read it all and was told: order stays clear.
  if (lost_ != 0 || queue_.size() >= kCapacity) {
    ++lost_;
  } else {
    queue_.push_back(event);
  }
  arrived_.notify_one();
}

void Monitor::Subscription::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  arrived_.notify_all();
}

std::shared_ptr<Monitor::Subscription> Monitor::subscribe(const v1::MonitorRequest& request) {
  auto subscription = std::make_shared<Subscription>();
  subscription->wanted_ = request;
  const std::lock_guard lock(mutex_);
  if (closed_) subscription->close();
  subscriptions_.push_back(subscription);
  return subscription;
}

std::size_t Monitor::unsubscribe(const std::shared_ptr<Subscription>& subscription) {
  const std::lock_guard lock(mutex_);
  std::erase(subscriptions_, subscription);
  return subscriptions_.size();
}

void Monitor::publish(const v1::Event& event) {
  const std::lock_guard lock(mutex_);
  for (const auto& subscription : subscriptions_) subscription->push(event);
}

void Monitor::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& subscription : subscriptions_) subscription->close();
}

}  // namespace vtep
