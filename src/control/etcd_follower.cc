#include "control/etcd_follower.h"

#include <utility>

#include "control/backoff.h"

namespace vtep {
namespace {

constexpr Duration kFirstWait = std::chrono::seconds(1);
constexpr Duration kLongestWait = std::chrono::seconds(30);

}  // namespace

EtcdFollower::EtcdFollower(Loop& loop, EtcdClient& etcd, std::string prefix, Handlers handlers)
    : etcd_(etcd), prefix_(std::move(prefix)), handlers_(std::move(handlers)), timer_(loop) {
  list();
}

EtcdFollower::~EtcdFollower() = default;

void EtcdFollower::list() {
  watch_.reset();
  etcd_.list(prefix_, [this, alive = std::weak_ptr(alive_)](const Result<EtcdListing>& listing) {
    if (alive.expired()) return;
    if (!listing) return try_again(listing.error());
    failures_ = 0;
    // First the watch: the handler may end all this.
    watch(listing->revision + 1);
    handlers_.on_listing(*listing);
  });
}

void EtcdFollower::watch(std::int64_t from_revision) {
  watch_ = etcd_.watch(
      prefix_, from_revision,
      {.on_events = [this](std::int64_t, std::span<const EtcdEvent> events) { handlers_.on_events(events); },
       .on_connected = handlers_.on_connected,
       .on_disconnected = [this](Time, const Error& reason) { handlers_.on_trouble(reason); },
       .on_end =
           [this](const EtcdWatchEnd& end) {
             if (end.must_list) return list();
             try_again(end.error);
           }});
}

void EtcdFollower::try_again(const Error& why) {
  timer_.set(doubled(kFirstWait, failures_++, kLongestWait), [this] { list(); });
  handlers_.on_trouble(why);
}

}  // namespace vtep
