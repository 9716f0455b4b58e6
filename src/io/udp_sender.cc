#include "io/udp_sender.h"

#include <linux/if.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "io/message_batch.h"
#include "io/path_reports.h"
#include "io/send_pool.h"
#include "io/socket_mode.h"

namespace vtep {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
/// How often one datagram is tried when the errors seem to be older ones'.
constexpr int kAttempts = 3;
constexpr std::size_t kUdpHeader = 8;

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

/// What may be wrong with a run though its datagrams could leave one by one: the kernel, the device or IPsec
/// does not segment, or a segment exceeds the MTU, of which the kernel says more when it comes alone.
bool may_be_the_run(int error_number) {
  return error_number == EMSGSIZE || error_number == EINVAL || error_number == EIO;
}

/// Before Linux 4.18 there is no UDP_SEGMENT.
bool kernel_segments(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
}

/// As an IP packet.
std::size_t packet_size(const Datagram& datagram) {
  const std::size_t ip_header = datagram.route.remote.is_v4() ? 20 : 40;
  return ip_header + kUdpHeader + datagram.size();
}

}  // namespace

struct UdpSender::Impl {
  /// The datagrams of the batch at hand that one socket carries: a list through `next`.
  struct Queue {
    std::size_t first = kNone;
    std::size_t last = kNone;
  };
  struct Family {
    Family(int number, PathReports& reports, const std::shared_ptr<SourcePorts>& ports)
        : pool(
              number, [number, &reports](int fd) { reports.watch(fd, number); }, ports),
          queues(SendPool::kMaxSockets) {}
    SendPool pool;
    std::vector<Queue> queues;             // by socket; all empty between two batches
    std::vector<std::size_t> busy_queues;  // those that are not, in order of their first datagram
  };
  /// Where datagrams are under way to.
  struct Way {
    SendPool& pool;
    std::size_t socket;
    std::span<const Datagram> batch;
    std::vector<FailedSend>& failures;

    int fd() const { return pool.fd(socket); }
    void fail(std::span<const std::size_t> datagrams, SendFailure reason, std::uint32_t mtu = 0) const {
      for (const std::size_t index : datagrams) failures.push_back({index, reason, mtu});
    }
  };

  explicit Impl(const SenderOptions& options)
      : v4(AF_INET, reports, options.ports),
        v6(AF_INET6, reports, options.ports),
        wants_segments(options.send_segments) {}

  PathReports reports;
  Family v4;
  Family v6;
  std::vector<std::size_t> next;
  const bool wants_segments;
  std::optional<bool> has_segments;  // asked of the first socket
  MessageBatch messages;
  MessageBatch spare;  // for the datagrams of one message that failed

  void enqueue(std::size_t index, const Route& route, std::vector<FailedSend>& failures);
  void send_queue(const Way& way, std::size_t first);
  bool segments(const Way& way, SocketMode mode);
  bool flush(const Way& way, MessageBatch& under_way);
  bool send_singly(const Way& way, std::span<const std::size_t> datagrams, int error_number);
};

// The life of a batch:
// 1. enqueue() finds every datagram's socket and appends it to that socket's queue.
// 2. send_queue() walks one queue and gathers up to 64 messages of one mode at a time.
// 3. flush() hands them to the kernel, stepping over the ones it refuses.
// 4. send_singly() gives the datagrams of a run that was refused another try.

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

void UdpSender::Impl::send_queue(const Way& way, std::size_t first) {
  bool full = false;
  for (std::size_t index = first; index != kNone;) {
    const SocketMode mode = SocketMode::of(way.batch[index].route);
    const bool refused = !way.pool.set_mode(way.socket, mode);
    const bool in_runs = segments(way, mode);
    messages.clear();
    for (; index != kNone && messages.has_room(); index = next[index]) {
      const Datagram& datagram = way.batch[index];
      if (SocketMode::of(datagram.route) != mode) break;
      messages.add(index, datagram, in_runs);
    }
    if (full || refused) {
      way.fail(messages.datagrams(), full ? SendFailure::kQueueFull : SendFailure::kRefused);
      continue;
    }
    if (!in_runs) way.pool.count_plain(way.socket, messages.size());
    full = !flush(way, messages);
  }
}

bool UdpSender::Impl::segments(const Way& way, SocketMode mode) {
  if (!has_segments) has_segments = wants_segments && kernel_segments(way.fd());
  // The kernel refuses to cut without a checksum (EINVAL).
  return *has_segments && mode.checksum && way.pool.may_segment(way.socket);
}

/// False if the socket takes no more for now; what it did not take is among the failures.
bool UdpSender::Impl::flush(const Way& way, MessageBatch& under_way) {
  const std::span<mmsghdr> headers = under_way.finish();
  int attempts = 0;  // of the message at hand
  for (std::size_t done = 0; done < headers.size();) {
    const int sent = ::sendmmsg(way.fd(), headers.data() + done, static_cast<unsigned>(headers.size() - done),
                                MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      attempts = 0;
      continue;
    }
    // An error is always the first message's: behind a success, the kernel reports it with the next call.
    const int error = errno;
    if (error == EINTR) continue;
    const std::span<const std::size_t> datagrams = under_way.datagrams(done);
    const Datagram& datagram = way.batch[datagrams.front()];
    const bool is_run = datagrams.size() > 1;
    ++attempts;
    if (may_be_stale(error) && attempts < kAttempts) continue;
    const std::uint32_t mtu = error == EMSGSIZE && !is_run ? reports.refused_mtu(way.fd()) : 0;
    // Only the kernel's own word about this datagram; without it a router spoke about an earlier one.
    const bool too_big = mtu != 0 && packet_size(datagram) > mtu;
    if (error == EMSGSIZE && !is_run && !too_big && attempts < kAttempts) continue;
    const bool is_full = error == EAGAIN;
    if (is_full || (is_run && may_be_the_run(error) && !send_singly(way, datagrams, error))) {
      if (!is_full) ++done;
      for (; done < headers.size(); ++done) way.fail(under_way.datagrams(done), SendFailure::kQueueFull);
      return false;
    }
    if (!is_run || !may_be_the_run(error)) {
      SendFailure reason = failure_of(error);
      const IfIndex device = datagram.route.device;
      if (reason == SendFailure::kUnreachable && device.is_set() && is_down(way.fd(), device)) {
        reason = SendFailure::kDeviceDown;
      }
      way.fail(datagrams, reason, too_big ? mtu : 0);
    }
    ++done;
    attempts = 0;
  }
  return true;
}

/// As flush(). If that is what makes the difference, the socket sends no more runs for a while.
bool UdpSender::Impl::send_singly(const Way& way, std::span<const std::size_t> datagrams, int error_number) {
  spare.clear();
  for (const std::size_t index : datagrams) spare.add(index, way.batch[index], false);
  const std::size_t before = way.failures.size();
  const bool is_open = flush(way, spare);
  if (error_number != EMSGSIZE && way.failures.size() == before) way.pool.stop_segments(way.socket);
  return is_open;
}

UdpSender::UdpSender(SenderOptions options) : impl_(std::make_unique<Impl>(options)) {}
UdpSender::~UdpSender() = default;

void UdpSender::send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  if (impl_->next.size() < batch.size()) impl_->next.resize(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) impl_->enqueue(i, batch[i].route, failures);
  for (Impl::Family* family : {&impl_->v4, &impl_->v6}) {
    for (const std::size_t socket : family->busy_queues) {
      Impl::Queue& queue = family->queues[socket];
      impl_->send_queue({family->pool, socket, batch, failures}, queue.first);
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
