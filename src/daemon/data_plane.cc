#include "daemon/data_plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vtep {
namespace {

constexpr std::size_t kAgeingBudget = 16384;  // FDB slots per wake-up: about 0.1 ms
constexpr Duration kAgeingPause = std::chrono::milliseconds(1);

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::start(Loop& loop, Options options) {
  std::unique_ptr<DataPlane> self(new DataPlane(loop, std::move(options)));
  if (auto started = self->start_workers(); !started) return std::unexpected(started.error());
  return self;
}

DataPlane::DataPlane(Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      engine_(options_.fdb),
      alive_(std::make_shared<DataPlane*>(this)) {}

Result<void> DataPlane::start_workers() {
  if (options_.workers == 0) {
    workers_.push_back(WorkerThread::in(loop_, [this](Loop& loop) { return make_worker(loop); }));
    return {};
  }
  for (std::size_t i = 0; i < options_.workers; ++i) {
    auto worker = WorkerThread::start(fmt::format("worker {}", i), options_.spin,
                                      [this](Loop& loop) { return make_worker(loop); });
    if (!worker) return std::unexpected(worker.error());
    workers_.push_back(std::move(*worker));
  }
  return {};
}

std::unique_ptr<Worker> DataPlane::make_worker(Loop& loop) {
  return std::make_unique<Worker>(loop, engine_, options_.make_sender(),
                                  Worker::Callbacks{.news = [this] { news(); },
                                                    .port_lost =
                                                        [this](LinkId link, std::uint64_t attachment) {
                                                          if (options_.workers == 0)
                                                            return port_lost(link, attachment);
                                                          loop_.post([alive = alive_, link, attachment] {
                                                            if (*alive != nullptr)
                                                              (*alive)->port_lost(link, attachment);
                                                          });
                                                        }});
}

DataPlane::~DataPlane() {
  workers_.clear();
  *alive_ = nullptr;
  if (timer_) loop_.cancel(*timer_);
}

void DataPlane::on_each(const std::function<void(Worker&)>& work) {
  for (const auto& worker : workers_) worker->call(work);
}

// --- what workers tell

void DataPlane::news() {
  if (options_.workers == 0) return take_news();
  if (has_news_.exchange(true)) return;
  loop_.post([alive = alive_] {
    if (*alive != nullptr) (*alive)->take_news();
  });
}

void DataPlane::take_news() {
  has_news_.store(false);  // first: what comes from now on is news again
  engine()->reclaim();
  events_();
  schedule();
}

void DataPlane::port_lost(LinkId link, std::uint64_t attachment) {
  const auto found = attachments_.find(link);
  if (found == attachments_.end() || found->second != attachment) return;  // another worker was first
  detach(link);
  port_lost_(link);
}

// --- ports and receivers

Result<void> DataPlane::acquire_receiver(Port port) {
  if (users_[port]++ > 0) return {};
  auto opened = options_.open_receivers(port);
  auto outcome = opened ? Result<void>() : std::unexpected(opened.error());
  for (std::size_t i = 0; outcome && i < std::min(opened->size(), workers_.size()); ++i) {
    workers_[i]->call([&](Worker& worker) {
      for (auto& receiver : (*opened)[i]) {
        if (outcome) outcome = worker.add_receiver(port, std::move(receiver));
      }
    });
  }
  if (!outcome) release_receiver(port);
  return outcome;
}

void DataPlane::release_receiver(Port port) {
  const auto found = users_.find(port);
  if (found == users_.end() || --found->second > 0) return;
  close_receivers(port);
}

void DataPlane::close_receivers(Port port) {
  if (users_.erase(port) == 0) return;
  on_each([port](Worker& worker) { worker.remove_receivers(port); });
}

void DataPlane::for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit) {
  on_each([&](Worker& worker) { worker.for_each_receiver(port, visit); });
}

std::vector<Port> DataPlane::receiver_ports() const {
  std::vector<Port> ports;
  for (const auto& [port, users] : users_) ports.push_back(port);
  return ports;
}

Result<void> DataPlane::attach(LinkId link, std::vector<std::unique_ptr<FramePort>> queues) {
  detach(link);
  const std::uint64_t attachment = ++last_attachment_;
  attachments_[link] = attachment;
  Result<void> outcome;
  for (std::size_t i = 0; outcome && i < std::min(queues.size(), workers_.size()); ++i) {
    workers_[i]->call(
        [&](Worker& worker) { outcome = worker.attach(link, std::move(queues[i]), attachment); });
  }
  if (!outcome) detach(link);
  return outcome;
}

void DataPlane::detach(LinkId link) {
  if (attachments_.erase(link) == 0) return;
  on_each([link](Worker& worker) { worker.detach(link); });
}

void DataPlane::set_members(LinkId link, std::span<const Member> members) {
  on_each([&](Worker& worker) { worker.set_members(link, members); });
}

void DataPlane::poll() {
  on_each([](Worker& worker) { worker.poll(); });
}

// --- time

void DataPlane::schedule() {
  const auto deadline = engine()->next_deadline();
  if (timer_ && deadline == timer_deadline_) return;
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  timer_deadline_ = deadline;
  if (!deadline) return;
  // An unfinished scan is due at once, but packets come first.
  timer_ = loop_.at(std::max(*deadline, loop_.now() + kAgeingPause), [this] {
    timer_.reset();
    engine()->advance(loop_.now(), kAgeingBudget);
    events_();
    schedule();
  });
}

}  // namespace vtep
