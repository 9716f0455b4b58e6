#include "io/loop.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <limits>
#include <string>

#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kMaxEvents = 64;

std::uint64_t token_of(int fd, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

/// The usual 1024 are there for select(), which nobody here uses. If it cannot be had, opening a file will
/// say so.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Time read_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create() {
  raise_file_limit();
  const int epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) return std::unexpected(system_error("Cannot create an epoll instance", errno));
  const int event_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event_fd < 0) {
    const int error = errno;
    ::close(epoll_fd);
    return std::unexpected(system_error("Cannot create an eventfd", error));
  }
  std::unique_ptr<Loop> loop(new Loop(epoll_fd, event_fd));

  Loop* self = loop.get();
  auto watched = self->watch(event_fd, [self] {
    std::uint64_t count = 0;
    // Only resets the counter: what is posted is looked at on every wake-up.
    [[maybe_unused]] const ssize_t got = ::read(self->event_fd_, &count, sizeof(count));
  });
  if (!watched) return std::unexpected(std::move(watched).error());
  return loop;
}

Loop::Loop(int epoll_fd, int event_fd) : epoll_fd_(epoll_fd), event_fd_(event_fd), now_(read_clock()) {}

Loop::~Loop() {
  ::close(event_fd_);
  ::close(epoll_fd_);
}

Result<void> Loop::watch(int fd, Callback on_readable) {
  assert(!watches_.contains(fd));
  const std::uint32_t generation = next_generation_++;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = token_of(fd, generation);
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return std::unexpected(system_error("Cannot watch file " + std::to_string(fd), errno));
  }
  watches_[fd] = std::make_shared<Watch>(Watch{std::move(on_readable), generation});
  return {};
}

void Loop::unwatch(int fd) {
  if (watches_.erase(fd) == 0) return;
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

Loop::TimerId Loop::at(Time when, Callback callback) {
  const TimerId id = next_timer_++;
  timers_.emplace(std::pair(when, id), std::move(callback));
  timer_times_.emplace(id, when);
  return id;
}

void Loop::cancel(TimerId timer) {
  const auto found = timer_times_.find(timer);
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, timer});
  timer_times_.erase(found);
}

void Loop::post(Callback work) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(work));
    has_posted_.store(true, std::memory_order_release);
  }
  // Whoever finds the list empty wakes the loop; the others' work goes with it. It cannot fail: the counter
  // would have to overflow.
  if (first) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(event_fd_, &one, sizeof(one));
  }
}

void Loop::stop() {
  post([this] { stopping_ = true; });
}

void Loop::run() {
  stopping_ = false;
  std::array<epoll_event, kMaxEvents> events;
  while (!stopping_) {
    const int count = wait(events);
    for (int i = 0; i < count; ++i) run_watch(events[static_cast<std::size_t>(i)].data.u64);
    run_timers();
    run_posted();
  }
}

/// Until files are ready, a timer is due or a signal came; returns the number of files.
int Loop::wait(std::span<epoll_event> events) {
  const int most = static_cast<int>(events.size());
  while (spinner_.is_enabled()) {
    const int count = ::epoll_wait(epoll_fd_, events.data(), most, 0);
    now_ = read_clock();
    if (count > 0) {
      spinner_.found_work(now_);
      return count;
    }
    if (!spinner_.should_look_again(now_)) break;
    if (!timers_.empty() && timers_.begin()->first.first <= now_) return 0;
    ::sched_yield();
  }
  const int count = ::epoll_wait(epoll_fd_, events.data(), most, timeout_ms());
  // A signal is a wake-up without files.
  assert(count >= 0 || errno == EINTR);
  now_ = read_clock();
  if (count > 0) spinner_.woke_to_work(now_);
  return count;
}

/// How long to sleep, in milliseconds, rounded up so that no timer is early; -1 without timers.
int Loop::timeout_ms() const {
  if (timers_.empty()) return -1;
  // Not now(): the callbacks of this wake-up took time of their own, which must not be slept again.
  const Time now = read_clock();
  const Time first = timers_.begin()->first.first;
  if (first <= now) return 0;
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(first - now).count();
  constexpr int kLongest = std::numeric_limits<int>::max();
  return rounded > kLongest ? kLongest : static_cast<int>(rounded);
}

void Loop::run_watch(std::uint64_t token) {
  const auto found = watches_.find(static_cast<int>(token & 0xffffffff));
  if (found == watches_.end() || found->second->generation != token >> 32) return;
  const std::shared_ptr<Watch> watch = found->second;
  watch->on_readable();
}

void Loop::run_timers() {
  std::vector<std::pair<Time, TimerId>> due;
  for (auto timer = timers_.begin(); timer != timers_.end() && timer->first.first <= now_; ++timer) {
    due.push_back(timer->first);
  }
  for (const auto& key : due) {
    const auto found = timers_.find(key);
    if (found == timers_.end()) continue;  // cancelled by a callback before it
    const Callback callback = std::move(found->second);
    timers_.erase(found);
    timer_times_.erase(key.second);
    callback();
  }
}

void Loop::run_posted() {
  if (!has_posted_.load(std::memory_order_acquire)) return;
  std::vector<Callback> work;
  {
    const std::lock_guard lock(posted_mutex_);
    has_posted_.store(false, std::memory_order_relaxed);
    work.swap(posted_);
  }
  for (const Callback& callback : work) callback();
}

}  // namespace vtep
