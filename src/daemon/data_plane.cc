#include "daemon/data_plane.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "engine/vlan_tag.h"

namespace vtep {
namespace {

constexpr std::size_t kBatch = 64;  // what recvmmsg and sendmmsg take at once
constexpr int kBatchesPerWakeup = 4;
constexpr std::size_t kAgeingBudget = 16384;  // FDB slots per wake-up: about 0.1 ms
constexpr Duration kAgeingPause = std::chrono::milliseconds(1);
constexpr std::size_t kReplySize = kHeadroom + 1536;  // ICMPv6 answers have up to 1280 bytes of IP packet

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
                     OpenReceivers open_receivers)
    : loop_(loop),
      engine_(fdb),
      sender_(std::move(sender)),
      open_receivers_(std::move(open_receivers)),
      batch_(kBatch),
      replies_(kBatch, kReplySize),
      links_(kBatch) {
  datagrams_.reserve(kBatch);
  if (auto watched = watch(sender_->report_fd(), [this] { take_reports(); }); !watched) {
    spdlog::error("path MTUs will not be learned: {}", watched.error().message);
  }
}

DataPlane::~DataPlane() {
  if (timer_) loop_.cancel(*timer_);
  for (const auto& [link, port] : ports_) loop_.unwatch(port->fd());
  for (const auto& [port, receivers] : receivers_) {
    for (const auto& socket : receivers.sockets) loop_.unwatch(socket->fd());
  }
  loop_.unwatch(sender_->report_fd());
}

// --- ports and receivers

Result<void> DataPlane::acquire_receiver(Port port) {
  PortReceivers& receivers = receivers_[port];
  if (receivers.users++ > 0) return {};
  auto opened = open_receivers_(port);
  auto watched = opened ? Result<void>() : std::unexpected(opened.error());
  if (opened) receivers.sockets = std::move(*opened);
  for (const auto& socket : receivers.sockets) {
    UnderlayReceiver* const receiver = socket.get();
    if (watched)
      watched = watch(socket->fd(), [this, port, receiver] { datagrams_readable(port, *receiver); });
  }
  if (!watched) release_receiver(port);
  return watched;
}

void DataPlane::release_receiver(Port port) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end() || --found->second.users > 0) return;
  close_receivers(port);
}

void DataPlane::close_receivers(Port port) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end()) return;
  for (const auto& socket : found->second.sockets) loop_.unwatch(socket->fd());
  receivers_.erase(found);
}

void DataPlane::for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end()) return;
  for (const auto& socket : found->second.sockets) visit(*socket);
}

std::vector<Port> DataPlane::receiver_ports() const {
  std::vector<Port> ports;
  for (const auto& [port, receivers] : receivers_) ports.push_back(port);
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

void DataPlane::set_members(LinkId link, std::span<const Member> members) {
  std::erase_if(homes_, [link](const auto& home) { return home.second.interface == link; });
  vlans_.erase(link);
  if (members.empty()) return;
  VlanMap& vlans = vlans_[link];
  vlans.assign(VlanId::kMax + 1U, kNoLink);
  for (const Member& member : members) {
    vlans[member.vlan.value_or(VlanId()).value()] = member.link;
    homes_[member.link] = {link, member.vlan};
  }
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
  for (const auto& [port, receivers] : receivers_) {
    for (const auto& socket : receivers.sockets) datagrams_readable(port, *socket);
  }
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
    if (const auto vlans = vlans_.find(link); vlans != vlans_.end()) {
      encapsulate_tagged(link, vlans->second);
    } else {
      encapsulate(link, batch_.packets());
    }
    events_();
    if (*read < kBatch) return;
  }
}

/// Frames of an interface that several VNIs share, in runs of one VNI.
void DataPlane::encapsulate_tagged(LinkId interface, const VlanMap& vlans) {
  const std::span<Packet> frames = batch_.packets();
  for (std::size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const auto link_of = [&](const Packet& frame) {
      const std::uint16_t vlan = outer_vlan(frame.view()).value_or(0);
      return vlan < vlans.size() ? vlans[vlan] : kNoLink;
    };
    const LinkId link = link_of(frames[begin]);
    for (end = begin; end < frames.size() && link_of(frames[end]) == link;) ++end;
    if (link == kNoLink) {
      engine_.count_drop(interface, Drop::kVlanUnknown, end - begin);
      continue;
    }
    const std::span<Packet> run = frames.subspan(begin, end - begin);
    if (homes_.at(link).vlan) {
      for (Packet& frame : run) strip_tag(frame);
    }
    encapsulate(link, run);
  }
}

void DataPlane::encapsulate(LinkId link, std::span<Packet> frames) {
  engine_.encapsulate(link, frames, loop_.now(), datagrams_, replies_);
  send();
  deliver_replies(link);
}

void DataPlane::send() {
  if (datagrams_.empty()) return;
  sender_->send(datagrams_, failures_);
  for (const FailedSend& failed : failures_) {
    const Datagram& datagram = datagrams_[failed.index];
    engine_.count_drop(datagram.tag, to_drop(failed.reason));
    if (failed.reason == SendFailure::kTooBig) {
      engine_.did_not_fit(datagram, failed.mtu, loop_.now(), replies_);
    }
  }
  failures_.clear();
  datagrams_.clear();
}

void DataPlane::deliver_replies(LinkId link) {
  if (replies_.empty()) return;
  deliver(link, replies_.packets());
  replies_.clear();
}

void DataPlane::take_reports() {
  sender_->take_reports(reports_);
  for (const PathReport& report : reports_) {
    if (!engine_.hear_path_mtu(report.remote, report.port, report.header, report.mtu, loop_.now())) continue;
    spdlog::info("the path to {} takes packets of {} bytes", report.remote.to_string(),
                 engine_.paths().find(report.remote)->mtu);
  }
  reports_.clear();
  schedule();
}

// --- underlay → overlay

void DataPlane::datagrams_readable(Port port, UnderlayReceiver& receiver) {
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
  const auto home = homes_.find(link);
  if (home != homes_.end() && home->second.vlan) {
    for (Packet& frame : frames) push_tag(frame, *home->second.vlan);
  }
  const auto port = ports_.find(home == homes_.end() ? link : home->second.interface);
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
