#include "control/etcd_lease.h"

#include <utility>

namespace vtep {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);

}  // namespace

EtcdLease::EtcdLease(Loop& loop, EtcdClient& etcd, std::chrono::seconds ttl, Handlers handlers)
    : etcd_(etcd), ttl_(ttl), handlers_(std::move(handlers)), timer_(loop) {
  take();
}

EtcdLease::~EtcdLease() = default;

void EtcdLease::take() {
  etcd_.grant(ttl_.count(), [this](Result<std::int64_t> lease) {
    if (is_ending_) return;
    if (!lease) {
      timer_.set(kTryAgain, [this] { take(); });
      return handlers_.on_trouble(lease.error());
    }
    id_ = *lease;
    timer_.set(ttl_ / 3, [this] { refresh(); });
    handlers_.on_taken(id_);
  });
}

void EtcdLease::refresh() {
  etcd_.refresh(id_, [this, id = id_](const Result<std::int64_t>& left) {
    if (is_ending_ || id != id_) return;
    if (!left && left.error().kind == ErrorKind::kNotFound) return lost();
    timer_.set(left ? Duration(ttl_ / 3) : kTryAgain, [this] { refresh(); });
    if (!left) handlers_.on_trouble(left.error());
  });
}

void EtcdLease::lost() {
  if (id_ == 0 || is_ending_) return;
  id_ = 0;
  timer_.cancel();
  take();
}

void EtcdLease::revoke(std::function<void()> done) {
  is_ending_ = true;
  timer_.cancel();
  if (id_ == 0) return done();
  etcd_.revoke(std::exchange(id_, 0), [done = std::move(done)](const Result<void>&) { done(); });
}

}  // namespace vtep
