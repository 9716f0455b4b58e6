#include "io/udp_sender.h"

#include <linux/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "io/path_reports.h"
#include "io/send_control.h"
#include "io/send_pool.h"
#include "io/socket_address.h"
#include "io/socket_mode.h"

namespace vtep {
namespace {

constexpr std::size_t kMessages = 64;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);
/// How often one datagram is tried when the errors seem to be older ones'.
constexpr int kAttempts = 3;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint32_t kFlowLabelMask = 0xfffff;

SendFailure failure_of(int error_number) {
  switch (error_number) {
    case EMSGSIZE:
      return SendFailure::kTooBig;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ECONNREFUSED:
    case EADDRNOTAVAIL:
      return SendFailure::kUnreachable;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
      return SendFailure::kDeviceDown;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return SendFailure::kQueueFull;
    default:
      return SendFailure::kRefused;
  }
}

/// The kernel says "unreachable" when the device is down; for the person who looks that is another thing.
bool is_down(int fd, IfIndex device) {
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(device.value());
  return ::ioctl(fd, SIOCGIFNAME, &request) == 0 && ::ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
         (request.ifr_flags & IFF_UP) == 0;
}

/// A socket may report what became of an earlier datagram (an ICMP error); the one at hand was not even tried
/// then.
bool may_be_stale(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
    case EACCES:
      return true;
    default:
      return false;
  }
}

/// As an IP packet.
std::size_t packet_size(const Datagram& datagram) {
  const std::size_t ip_header = datagram.route.remote.is_v4() ? 20 : 40;
  return ip_header + kUdpHeader + datagram.header.size() + datagram.frame.size();
}

}  // namespace

struct UdpSender::Impl {
  /// The datagrams of the batch at hand that one socket carries: a list through `next`.
  struct Queue {
    std::size_t first = kNone;
    std::size_t last = kNone;
  };
  struct Family {
    Family(int number, PathReports& reports)
        : pool(number, [number, &reports](int fd) { reports.watch(fd, number); }),
          queues(SendPool::kMaxSockets) {}
    SendPool pool;
    std::vector<Queue> queues;             // by socket; all empty between two batches
    std::vector<std::size_t> busy_queues;  // those that are not, in order of their first datagram
  };

  PathReports reports;
  Family v4{AF_INET, reports};
  Family v6{AF_INET6, reports};
  std::vector<std::size_t> next;

  // Messages under way to one socket.
  std::array<mmsghdr, kMessages> messages{};
  std::array<std::array<iovec, 2>, kMessages> buffers{};  // header and frame
  std::array<SocketAddress, kMessages> remotes{};
  std::array<SendControl, kMessages> controls{};
  std::array<std::size_t, kMessages> indexes{};

  Impl() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      messages[i].msg_hdr.msg_iov = buffers[i].data();
      messages[i].msg_hdr.msg_iovlen = buffers[i].size();
      messages[i].msg_hdr.msg_name = &remotes[i];
    }
  }

  void enqueue(std::size_t index, const Route& route, std::vector<FailedSend>& failures);
  void send_queue(SendPool& pool, std::size_t socket, std::size_t first, std::span<const Datagram> batch,
                  std::vector<FailedSend>& failures);
  void prepare(std::size_t slot, const Datagram& datagram);
  bool flush(int fd, std::size_t count, std::span<const Datagram> batch, std::vector<FailedSend>& failures);
};

// The life of a batch:
// 1. enqueue() finds every datagram's socket and appends it to that socket's queue.
// 2. send_queue() walks one queue and prepares up to 64 messages of one mode at a time.
// 3. flush() hands them to the kernel, stepping over the ones it refuses.

void UdpSender::Impl::enqueue(std::size_t index, const Route& route, std::vector<FailedSend>& failures) {
  const bool is_v4 = route.remote.is_v4();
  Family& family = is_v4 ? v4 : v6;
  const bool mixed = !route.local.is_unspecified() && route.local.is_v4() != is_v4;
  const int socket = mixed ? -1 : family.pool.socket_for(route.source_port);
  if (socket < 0) {
    failures.push_back({index, SendFailure::kRefused});
    return;
  }
  Queue& queue = family.queues[static_cast<std::size_t>(socket)];
  next[index] = kNone;
  if (queue.first == kNone) {
    queue.first = index;
    family.busy_queues.push_back(static_cast<std::size_t>(socket));
  } else {
    next[queue.last] = index;
  }
  queue.last = index;
}

void UdpSender::Impl::prepare(std::size_t slot, const Datagram& datagram) {
  // sendmmsg only reads; struct iovec has no const.
  buffers[slot][0] = {const_cast<std::uint8_t*>(datagram.header.data()), datagram.header.size()};
  buffers[slot][1] = {const_cast<std::uint8_t*>(datagram.frame.data()), datagram.frame.size()};
  msghdr& header = messages[slot].msg_hdr;
  header.msg_namelen = store_address(datagram.route.remote, datagram.route.destination_port, remotes[slot]);
  if (datagram.route.remote.is_v6()) {
    remotes[slot].v6.sin6_flowinfo = htonl(datagram.route.flow_label & kFlowLabelMask);
  }
  store_control(datagram.route, controls[slot], header);
}

void UdpSender::Impl::send_queue(SendPool& pool, std::size_t socket, std::size_t first,
                                 std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  bool full = false;
  for (std::size_t index = first; index != kNone;) {
    const SocketMode mode = SocketMode::of(batch[index].route);
    const bool refused = !pool.set_mode(socket, mode);
    const bool hopeless = full || refused;
    std::size_t count = 0;
    for (; index != kNone && count < kMessages; index = next[index], ++count) {
      if (SocketMode::of(batch[index].route) != mode) break;
      indexes[count] = index;
      if (!hopeless) prepare(count, batch[index]);
    }
    if (!hopeless) {
      full = !flush(pool.fd(socket), count, batch, failures);
    } else {
      const SendFailure reason = full ? SendFailure::kQueueFull : SendFailure::kRefused;
      for (std::size_t i = 0; i < count; ++i) failures.push_back({indexes[i], reason});
    }
  }
}

/// False if the socket takes no more for now; what it did not take is among the failures.
bool UdpSender::Impl::flush(int fd, std::size_t count, std::span<const Datagram> batch,
                            std::vector<FailedSend>& failures) {
  int attempts = 0;  // of the datagram at hand
  for (std::size_t done = 0; done < count;) {
    const int sent =
        ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      attempts = 0;
      continue;
    }
    // An error is always the first message's: behind a success, the kernel reports it with the next call.
    const int error = errno;
    if (error == EINTR) continue;
    ++attempts;
    if (may_be_stale(error) && attempts < kAttempts) continue;
    const std::uint32_t mtu = error == EMSGSIZE ? reports.refused_mtu(fd) : 0;
    // Only the kernel's own word about this datagram; without it a router spoke about an earlier one.
    const bool too_big = mtu != 0 && packet_size(batch[indexes[done]]) > mtu;
    if (error == EMSGSIZE && !too_big && attempts < kAttempts) continue;
    if (error == EAGAIN) {
      for (; done < count; ++done) failures.push_back({indexes[done], SendFailure::kQueueFull});
      return false;
    }
    SendFailure reason = failure_of(error);
    const IfIndex device = batch[indexes[done]].route.device;
    if (reason == SendFailure::kUnreachable && device.is_set() && is_down(fd, device)) {
      reason = SendFailure::kDeviceDown;
    }
    failures.push_back({indexes[done], reason, too_big ? mtu : 0});
    ++done;
    attempts = 0;
  }
  return true;
}

UdpSender::UdpSender() : impl_(std::make_unique<Impl>()) {}
UdpSender::~UdpSender() = default;

void UdpSender::send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  if (impl_->next.size() < batch.size()) impl_->next.resize(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) impl_->enqueue(i, batch[i].route, failures);
  for (Impl::Family* family : {&impl_->v4, &impl_->v6}) {
    for (const std::size_t socket : family->busy_queues) {
      Impl::Queue& queue = family->queues[socket];
      impl_->send_queue(family->pool, socket, queue.first, batch, failures);
      queue = {};
    }
    family->busy_queues.clear();
  }
}

void UdpSender::take_reports(std::vector<PathReport>& reports) {
  impl_->reports.take(reports);
}

int UdpSender::report_fd() const {
  return impl_->reports.fd();
}

}  // namespace vtep
