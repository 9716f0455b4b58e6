#include "daemon/data_plane.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace vtep {
namespace {

constexpr std::size_t kBatch = 64;  // what recvmmsg and sendmmsg take at once
constexpr int kBatchesPerWakeup = 4;
constexpr std::size_t kAgeingBudget = 16384;  // FDB slots per wake-up: about 0.1 ms
constexpr Duration kAgeingPause = std::chrono::milliseconds(1);

Drop to_drop(SendFailure failure) {
  switch (failure) {
    case SendFailure::kTooBig:
      return Drop::kFrameTooBig;
    case SendFailure::kUnreachable:
      return Drop::kUnderlayUnreachable;
    case SendFailure::kDeviceDown:
      return Drop::kUnderlayDown;
    case SendFailure::kQueueFull:
      return Drop::kUnderlayFull;
    case SendFailure::kRefused:
      break;
  }
  return Drop::kUnderlayRefused;
}

}  // namespace

DataPlane::DataPlane(Loop& loop, const Fdb::Options& fdb, std::unique_ptr<UnderlaySender> sender,
                     OpenReceiver open_receiver)
    : loop_(loop),
      engine_(fdb),
      sender_(std::move(sender)),
      open_receiver_(std::move(open_receiver)),
      batch_(kBatch),
      links_(kBatch) {
  datagrams_.reserve(kBatch);
}

DataPlane::~DataPlane() {
  if (timer_) loop_.cancel(*timer_);
  for (const auto& [link, port] : ports_) loop_.unwatch(port->fd());
  for (const auto& [port, receiver] : receivers_) loop_.unwatch(receiver.socket->fd());
}

// --- ports and receivers

Result<void> DataPlane::acquire_receiver(Port port) {
  Receiver& receiver = receivers_[port];
  if (receiver.users == 0) {
    auto socket = open_receiver_(port);
    auto watched = socket ? watch((*socket)->fd(), [this, port] { datagrams_readable(port); })
                          : Result<void>(std::unexpected(socket.error()));
    if (!watched) {
      receivers_.erase(port);
      return watched;
    }
    receiver.socket = std::move(*socket);
  }
  ++receiver.users;
  return {};
}

void DataPlane::release_receiver(Port port) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end() || --found->second.users > 0) return;
  loop_.unwatch(found->second.socket->fd());
  receivers_.erase(found);
}

std::vector<Port> DataPlane::receiver_ports() const {
  std::vector<Port> ports;
  for (const auto& [port, receiver] : receivers_) ports.push_back(port);
  return ports;
}

Result<void> DataPlane::attach(LinkId link, std::unique_ptr<FramePort> port) {
  detach(link);
  if (auto watched = watch(port->fd(), [this, link] { frames_readable(link); }); !watched) return watched;
  ports_[link] = std::move(port);
  return {};
}

void DataPlane::detach(LinkId link) {
  const auto found = ports_.find(link);
  if (found == ports_.end()) return;
  loop_.unwatch(found->second->fd());
  ports_.erase(found);
}

Result<void> DataPlane::watch(int fd, Loop::Callback on_readable) {
  if (fd < 0) return {};  // poll() looks after it
  return loop_.watch(fd, std::move(on_readable));
}

void DataPlane::poll() {
  // By copies of the keys: a port that is lost is erased on the way.
  std::vector<LinkId> links;
  for (const auto& [link, port] : ports_) links.push_back(link);
  for (const LinkId link : links) frames_readable(link);
  for (const Port port : receiver_ports()) datagrams_readable(port);
}

// --- overlay → underlay

void DataPlane::frames_readable(LinkId link) {
  for (int i = 0; i < kBatchesPerWakeup; ++i) {
    batch_.clear();
    const auto read = ports_.at(link)->read(batch_);
    if (!read) {
      detach(link);
      port_lost_(link);
      return;
    }
    if (*read == 0) return;
    engine_.encapsulate(link, batch_.packets(), loop_.now(), datagrams_);
    send();
    if (*read < kBatch) return;
  }
}

void DataPlane::send() {
  if (datagrams_.empty()) return;
  sender_->send(datagrams_, failures_);
  for (const FailedSend& failed : failures_) {
    engine_.count_drop(datagrams_[failed.index].tag, to_drop(failed.reason));
  }
  failures_.clear();
  datagrams_.clear();
}

// --- underlay → overlay

void DataPlane::datagrams_readable(Port port) {
  UnderlayReceiver& receiver = *receivers_.at(port).socket;
  for (int i = 0; i < kBatchesPerWakeup; ++i) {
    batch_.clear();
    const auto received = receiver.receive(batch_);
    if (!received) {
      spdlog::error("UDP port {}: {}", port.value(), received.error().message);
      return;
    }
    if (*received == 0) break;
    const std::size_t good = engine_.decapsulate(port, batch_.packets(), loop_.now(), links_);
    // Runs of one link go out with one call, in the order in which they came.
    for (std::size_t begin = 0; begin < good;) {
      std::size_t end = begin + 1;
      while (end < good && links_[end] == links_[begin]) ++end;
      deliver(links_[begin], batch_.packets().subspan(begin, end - begin));
      begin = end;
    }
    if (*received < kBatch) break;
  }
  events_();
  schedule();
}

void DataPlane::deliver(LinkId link, std::span<Packet> frames) {
  const auto port = ports_.find(link);
  if (port == ports_.end()) {
    engine_.count_drop(link, Drop::kInterfaceDown, frames.size());
    return;
  }
  const WriteReport report = port->second->write(frames);
  if (report.written == frames.size()) return;
  engine_.count_drop(link, Drop::kInterfaceDown, report.interface_down);
  engine_.count_drop(link, Drop::kInterfaceFull, report.queue_full);
  engine_.count_drop(link, Drop::kInterfaceRefused, report.refused);
}

// --- time

void DataPlane::schedule() {
  const auto deadline = engine_.next_deadline();
  if (timer_ && deadline == timer_deadline_) return;
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
  timer_deadline_ = deadline;
  if (!deadline) return;
  // An unfinished scan is due at once, but packets come first.
  timer_ = loop_.at(std::max(*deadline, loop_.now() + kAgeingPause), [this] {
    timer_.reset();
    engine_.advance(loop_.now(), kAgeingBudget);
    events_();
    schedule();
  });
}

}  // namespace vtep
