#include "daemon/worker.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "engine/vlan_tag.h"

namespace vtep {
namespace {

constexpr std::size_t kBatch = 64;  // what recvmmsg and sendmmsg take at once
/// How much of one file is moved before others have their turn: some hundred microseconds' worth.
constexpr int kBatchesPerTurn = 4;
constexpr std::size_t kBytesPerTurn = 256 * 1024;
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

std::size_t bytes_of(std::span<const Packet> packets) {
  std::size_t bytes = 0;
  for (const Packet& packet : packets) bytes += packet.size();
  return bytes;
}

}  // namespace

Worker::Worker(Loop& loop, Engine& engine, std::unique_ptr<UnderlaySender> sender, Callbacks callbacks)
    : loop_(loop),
      engine_(engine),
      lane_(engine),
      sender_(std::move(sender)),
      callbacks_(std::move(callbacks)),
      batch_(kBatch),
      replies_(kBatch, kReplySize) {
  datagrams_.reserve(kBatch);
  if (auto watched = watch(sender_->report_fd(), [this] { take_reports(); }); !watched) {
    spdlog::error("path MTUs will not be learned: {}", watched.error().message);
  }
}

Worker::~Worker() {
  for (const auto& [link, attached] : ports_) loop_.unwatch(attached.port->fd());
  for (const auto& [port, receivers] : receivers_) {
    for (const auto& receiver : receivers) loop_.unwatch(receiver->fd());
  }
  loop_.unwatch(sender_->report_fd());
}

// --- ports and receivers

Result<void> Worker::watch(int fd, Loop::Callback on_readable) {
  if (fd < 0) return {};  // poll() looks after it
  return loop_.watch(fd, std::move(on_readable));
}

Result<void> Worker::attach(LinkId link, std::unique_ptr<FramePort> port, std::uint64_t attachment) {
  detach(link);
  if (auto watched = watch(port->fd(), [this, link] { frames_readable(link); }); !watched) return watched;
  ports_[link] = {std::move(port), attachment};
  return {};
}

void Worker::detach(LinkId link) {
  const auto found = ports_.find(link);
  if (found == ports_.end()) return;
  loop_.unwatch(found->second.port->fd());
  ports_.erase(found);
}

void Worker::set_members(LinkId link, std::span<const VlanMember> members) {
  std::erase_if(homes_, [link](const auto& home) { return home.second.interface == link; });
  vlans_.erase(link);
  if (members.empty()) return;
  VlanMap& vlans = vlans_[link];
  vlans.assign(VlanId::kMax + 1U, kNoLink);
  for (const VlanMember& member : members) {
    vlans[member.vlan.value_or(VlanId()).value()] = member.link;
    homes_[member.link] = {link, member.vlan};
  }
}

Result<void> Worker::add_receiver(Port port, std::unique_ptr<UnderlayReceiver> receiver) {
  UnderlayReceiver& socket = *receiver;
  auto watched = watch(socket.fd(), [this, port, &socket] { datagrams_readable(port, socket); });
  if (watched) receivers_[port].push_back(std::move(receiver));
  return watched;
}

void Worker::remove_receivers(Port port) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end()) return;
  for (const auto& receiver : found->second) loop_.unwatch(receiver->fd());
  receivers_.erase(found);
}

void Worker::for_each_receiver(Port port, const std::function<void(UnderlayReceiver&)>& visit) {
  const auto found = receivers_.find(port);
  if (found == receivers_.end()) return;
  for (const auto& receiver : found->second) visit(*receiver);
}

void Worker::poll() {
  // By copies of the keys: a port that is lost is erased on the way.
  std::vector<LinkId> links;
  for (const auto& [link, attached] : ports_) links.push_back(link);
  for (const LinkId link : links) frames_readable(link);
  for (const auto& [port, receivers] : receivers_) {
    for (const auto& receiver : receivers) datagrams_readable(port, *receiver);
  }
}

void Worker::tell_news() {
  if (lane_.take_news()) callbacks_.news();
}

// --- overlay → underlay

void Worker::frames_readable(LinkId link) {
  std::size_t bytes = 0;
  for (int i = 0; i < kBatchesPerTurn && bytes < kBytesPerTurn; ++i) {
    batch_.clear();
    const Attached& attached = ports_.at(link);
    const auto read = attached.port->read(batch_);
    if (!read) {
      const std::uint64_t attachment = attached.attachment;
      detach(link);
      callbacks_.port_lost(link, attachment);
      return;
    }
    if (*read == 0) return;
    const std::size_t size = bytes_of(batch_.packets());
    bytes += size;
    if (const auto vlans = vlans_.find(link); vlans != vlans_.end()) {
      encapsulate_tagged(link, vlans->second);
    } else {
      encapsulate(link, batch_.packets());
    }
    tell_news();
    if (!batch_.full() && size < FramePort::kReadBytes) return;
  }
}

/// Frames of an interface that several VNIs share, in runs of one VNI.
void Worker::encapsulate_tagged(LinkId interface, const VlanMap& vlans) {
  const std::span<Packet> frames = batch_.packets();
  for (std::size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const auto link_of = [&](const Packet& frame) {
      const std::uint16_t vlan = outer_vlan(frame.view()).value_or(0);
      return vlan < vlans.size() ? vlans[vlan] : kNoLink;
    };
    const LinkId link = link_of(frames[begin]);
    for (end = begin; end < frames.size() && link_of(frames[end]) == link;) ++end;
    if (link == kNoLink) {
      lane_.count_drop(interface, Drop::kVlanUnknown, end - begin);
      continue;
    }
    const std::span<Packet> run = frames.subspan(begin, end - begin);
    if (homes_.at(link).vlan) {
      for (Packet& frame : run) strip_tag(frame);
    }
    encapsulate(link, run);
  }
}

void Worker::encapsulate(LinkId link, std::span<Packet> frames) {
  lane_.encapsulate(link, frames, loop_.now(), datagrams_, replies_);
  send();
  deliver_replies(link);
}

void Worker::send() {
  if (datagrams_.empty()) return;
  sender_->send(datagrams_, failures_);
  const std::uint8_t* cut_at = nullptr;  // where the payload of the last segment that failed ends
  for (const FailedSend& failed : failures_) {
    const Datagram& datagram = datagrams_[failed.index];
    lane_.count_drop(datagram.tag, to_drop(failed.reason));
    if (failed.reason != SendFailure::kTooBig) continue;
    // Segments of one super-frame get one answer.
    const bool is_next_segment = !datagram.prefix.empty() && datagram.frame.data() == cut_at;
    if (!is_next_segment) lane_.did_not_fit(datagram, failed.mtu, loop_.now(), replies_);
    cut_at = datagram.frame.data() + datagram.frame.size();
  }
  failures_.clear();
  datagrams_.clear();
}

void Worker::deliver_replies(LinkId link) {
  if (replies_.empty()) return;
  write(link, replies_.packets());
  replies_.clear();
}

void Worker::take_reports() {
  sender_->take_reports(reports_);
  for (const PathReport& report : reports_) {
    std::uint32_t mtu = 0;
    {
      const std::lock_guard lock(engine_.mutex());
      if (!engine_.hear_path_mtu(report.remote, report.port, report.header, report.mtu, loop_.now()))
        continue;
      mtu = engine_.paths().find(report.remote)->mtu;
    }
    spdlog::info("the path to {} takes packets of {} bytes", report.remote.to_string(), mtu);
  }
  reports_.clear();
  callbacks_.news();
}

// --- underlay → overlay

void Worker::datagrams_readable(Port port, UnderlayReceiver& receiver) {
  std::size_t bytes = 0;
  for (int i = 0; i < kBatchesPerTurn && bytes < kBytesPerTurn; ++i) {
    batch_.clear();
    const auto received = receiver.receive(batch_);
    if (!received) {
      spdlog::error("UDP port {}: {}", port.value(), received.error().message);
      return;
    }
    if (*received == 0) break;
    bytes += bytes_of(batch_.packets());
    decapsulate(port);
    if (!batch_.full()) break;
  }
  tell_news();
}

void Worker::decapsulate(Port port) {
  const std::span<Packet> packets = batch_.packets();
  if (links_.size() < packets.size()) {
    links_.resize(packets.size());
    layers_.resize(packets.size());
  }
  const std::size_t good = lane_.decapsulate(port, packets, loop_.now(), links_, layers_);
  // Runs of one link go out with one call, in the order in which they came.
  for (std::size_t begin = 0, end = 0; begin < good; begin = end) {
    for (end = begin + 1; end < good && links_[end] == links_[begin];) ++end;
    deliver(links_[begin], packets.subspan(begin, end - begin),
            std::span(layers_).subspan(begin, end - begin));
  }
}

void Worker::deliver(LinkId link, std::span<Packet> frames, std::span<const Layers> layers) {
  if (frames.size() > 1) {
    const FramePort* const port = port_of(link);
    const bool udp = port != nullptr && port->takes_udp_segments();
    frames = frames.first(coalescer_.merge(frames, layers, {.udp = udp}));
  }
  write(link, frames);
}

/// Of the interface that the link is on; null if none is attached.
FramePort* Worker::port_of(LinkId link) const {
  const auto home = homes_.find(link);
  const auto attached = ports_.find(home == homes_.end() ? link : home->second.interface);
  return attached == ports_.end() ? nullptr : attached->second.port.get();
}

void Worker::write(LinkId link, std::span<Packet> frames) {
  const auto home = homes_.find(link);
  if (home != homes_.end() && home->second.vlan) {
    for (Packet& frame : frames) push_tag(frame, *home->second.vlan);
  }
  FramePort* const port = port_of(link);
  if (port == nullptr) {
    lane_.count_drop(link, Drop::kInterfaceDown, frames.size());
    return;
  }
  const WriteReport report = port->write(frames);
  if (report.written == frames.size()) return;
  lane_.count_drop(link, Drop::kInterfaceDown, report.interface_down);
  lane_.count_drop(link, Drop::kInterfaceFull, report.queue_full);
  lane_.count_drop(link, Drop::kInterfaceRefused, report.refused);
}

}  // namespace vtep
