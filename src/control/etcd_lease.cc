#include "control/etcd_lease.h"

#include <utility>

namespace vtep {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);

}  // namespace

EtcdLease::EtcdLease(Loop& loop, EtcdClient& etcd, std::chrono::seconds ttl, Handlers handlers)
    : loop_(loop), etcd_(etcd), ttl_(ttl), handlers_(std::move(handlers)) {
  take();
}

EtcdLease::~EtcdLease() {
  if (timer_) loop_.cancel(*timer_);
}

void EtcdLease::take() {
  etcd_.grant(ttl_.count(), [this](Result<std::int64_t> lease) {
    if (is_ending_) return;
    if (!lease) {
      wake_in(kTryAgain, &EtcdLease::take);
      return handlers_.on_trouble(lease.error());
    }
    id_ = *lease;
    wake_in(ttl_ / 3, &EtcdLease::refresh);
    handlers_.on_taken(id_);
  });
}

void EtcdLease::refresh() {
  etcd_.refresh(id_, [this, id = id_](const Result<std::int64_t>& left) {
    if (is_ending_ || id != id_) return;
    if (!left && left.error().kind == ErrorKind::kNotFound) return lost();
    wake_in(left ? Duration(ttl_ / 3) : kTryAgain, &EtcdLease::refresh);
    if (!left) handlers_.on_trouble(left.error());
  });
}

void EtcdLease::lost() {
  if (id_ == 0 || is_ending_) return;
  id_ = 0;
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  take();
}

void EtcdLease::revoke(std::function<void()> done) {
  is_ending_ = true;
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  if (id_ == 0) return done();
  etcd_.revoke(std::exchange(id_, 0), [done = std::move(done)](const Result<void>&) { done(); });
}

void EtcdLease::wake_in(Duration delay, void (EtcdLease::*what)()) {
  if (timer_) loop_.cancel(*timer_);
  timer_ = loop_.at(loop_.now() + delay, [this, what] {
    timer_.reset();
    (this->*what)();
  });
}

}  // namespace vtep
