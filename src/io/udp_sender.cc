#include "io/udp_sender.h"

#include <linux/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "io/send_pool.h"
#include "io/socket_address.h"

namespace vtep {
namespace {

constexpr std::size_t kMessages = 64;
/// The larger of both families' address and hop limit messages.
constexpr std::size_t kControlSize = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int));
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

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

/// A socket may report what became of an earlier datagram; the one at hand was not even tried then.
bool may_be_stale(int error_number) {
  return error_number == ECONNREFUSED || error_number == EHOSTUNREACH || error_number == EPROTO;
}

/// Writes control messages one behind the other.
class ControlWriter {
 public:
  explicit ControlWriter(msghdr& header, std::uint8_t* buffer) : header_(header), buffer_(buffer) {
    header_.msg_controllen = 0;
  }
  template <typename T>
  void add(int level, int type, const T& value) {
    cmsghdr control{};
    control.cmsg_len = CMSG_LEN(sizeof(T));
    control.cmsg_level = level;
    control.cmsg_type = type;
    std::uint8_t* const place = buffer_ + header_.msg_controllen;
    std::memcpy(place, &control, sizeof(control));
    std::memcpy(place + CMSG_LEN(0), &value, sizeof(value));
    header_.msg_controllen += CMSG_SPACE(sizeof(T));
    header_.msg_control = buffer_;
  }

 private:
  msghdr& header_;
  std::uint8_t* const buffer_;
};

/// Source address, device and TTL for this datagram only: the socket is shared by all links.
void add_control(const Route& route, ControlWriter control) {
  const bool pinned = !route.local.is_unspecified() || route.device.is_set();
  if (route.remote.is_v4()) {
    if (pinned) {
      in_pktinfo info{};
      info.ipi_ifindex = static_cast<int>(route.device.value());
      if (!route.local.is_unspecified()) info.ipi_spec_dst = to_in_addr(route.local.v4());
      control.add(IPPROTO_IP, IP_PKTINFO, info);
    }
    if (route.ttl != 0) control.add(IPPROTO_IP, IP_TTL, int{route.ttl});
    return;
  }
  if (pinned) {
    in6_pktinfo info{};
    info.ipi6_ifindex = route.device.value();
    if (!route.local.is_unspecified()) info.ipi6_addr = to_in6_addr(route.local.v6());
    control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (route.ttl != 0) control.add(IPPROTO_IPV6, IPV6_HOPLIMIT, int{route.ttl});
}

}  // namespace

struct UdpSender::Impl {
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSize> bytes;
  };
  /// The datagrams of the batch at hand that one socket carries: a list through `next`.
  struct Queue {
    std::size_t first = kNone;
    std::size_t last = kNone;
  };
  struct Family {
    explicit Family(int number) : pool(number), queues(SendPool::kMaxSockets) {}
    SendPool pool;
    std::vector<Queue> queues;             // by socket; all empty between two batches
    std::vector<std::size_t> busy_queues;  // those that are not, in order of their first datagram
  };

  Family v4{AF_INET};
  Family v6{AF_INET6};
  std::vector<std::size_t> next;

  // Messages under way to one socket.
  std::array<mmsghdr, kMessages> messages{};
  std::array<std::array<iovec, 2>, kMessages> buffers{};  // header and frame
  std::array<SocketAddress, kMessages> remotes{};
  std::array<Control, kMessages> controls{};
  std::array<std::size_t, kMessages> indexes{};

  Impl() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      messages[i].msg_hdr.msg_iov = buffers[i].data();
      messages[i].msg_hdr.msg_iovlen = buffers[i].size();
      messages[i].msg_hdr.msg_name = &remotes[i];
    }
  }

  void enqueue(std::size_t index, const Route& route, std::vector<FailedSend>& failures);
  void send_queue(int fd, std::size_t first, std::span<const Datagram> batch,
                  std::vector<FailedSend>& failures);
  void prepare(std::size_t slot, const Datagram& datagram);
  bool flush(int fd, std::size_t count, std::span<const Datagram> batch, std::vector<FailedSend>& failures);
};

// The life of a batch:
// 1. enqueue() finds every datagram's socket and appends it to that socket's queue.
// 2. send_queue() walks one queue and prepares up to 64 messages at a time.
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
  header.msg_control = nullptr;
  add_control(datagram.route, ControlWriter(header, controls[slot].bytes.data()));
}

void UdpSender::Impl::send_queue(int fd, std::size_t first, std::span<const Datagram> batch,
                                 std::vector<FailedSend>& failures) {
  bool full = false;
  for (std::size_t index = first; index != kNone;) {
    std::size_t count = 0;
    for (; index != kNone && count < kMessages; index = next[index], ++count) {
      indexes[count] = index;
      if (!full) prepare(count, batch[index]);
    }
    if (!full) {
      full = !flush(fd, count, batch, failures);
    } else {
      for (std::size_t i = 0; i < count; ++i) failures.push_back({indexes[i], SendFailure::kQueueFull});
    }
  }
}

/// False if the socket takes no more for now; what it did not take is among the failures.
bool UdpSender::Impl::flush(int fd, std::size_t count, std::span<const Datagram> batch,
                            std::vector<FailedSend>& failures) {
  bool retried = false;
  for (std::size_t done = 0; done < count;) {
    const int sent =
        ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      retried = false;
      continue;
    }
    // An error is always the first message's: behind a success, the kernel reports it with the next call.
    const int error = errno;
    if (error == EINTR) continue;
    if (may_be_stale(error) && !retried) {
      retried = true;
      continue;
    }
    if (error == EAGAIN) {
      for (; done < count; ++done) failures.push_back({indexes[done], SendFailure::kQueueFull});
      return false;
    }
    SendFailure reason = failure_of(error);
    const IfIndex device = batch[indexes[done]].route.device;
    if (reason == SendFailure::kUnreachable && device.is_set() && is_down(fd, device)) {
      reason = SendFailure::kDeviceDown;
    }
    failures.push_back({indexes[done], reason});
    ++done;
    retried = false;
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
      impl_->send_queue(family->pool.fd(socket), queue.first, batch, failures);
      queue = {};
    }
    family->busy_queues.clear();
  }
}

}  // namespace vtep
