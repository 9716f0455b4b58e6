#include "io/udp_receiver.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "io/port_holder.h"
#include "io/socket_address.h"
#include "io/system_error.h"

namespace vtep {
namespace {

constexpr std::size_t kMessages = 64;
constexpr int kReceiveBuffer = 4 << 20;

/// Room for a burst. A small buffer costs datagrams and not correctness, so failing is fine.
void enlarge_buffer(int fd) {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer)) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof(kReceiveBuffer));
  }
}

Error port_taken(Port port) {
  const std::string number = std::to_string(port.value());
  return {ErrorKind::kInUse, "UDP port " + number + " is held by " + describe_port_holder(port) +
                                 "; stop it, or choose another port with dstport"};
}

}  // namespace

struct UdpReceiver::Scratch {
  std::array<mmsghdr, kMessages> messages{};
  std::array<iovec, kMessages> buffers{};
  std::array<SocketAddress, kMessages> sources{};

  Scratch() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      messages[i].msg_hdr.msg_iov = &buffers[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &sources[i];
    }
  }
};

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::open(Family family, Port port) {
  const bool v4 = family == Family::kV4;
  const std::string what = std::string("Cannot open a UDP socket for ") + (v4 ? "IPv4" : "IPv6");
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return std::unexpected(system_error(what, errno));
  std::unique_ptr<UdpReceiver> receiver(new UdpReceiver(fd));

  enlarge_buffer(fd);
  const int on = 1;
  if (!v4 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) {
    return std::unexpected(system_error(what, errno));
  }
  SocketAddress address;
  const socklen_t size = store_address(v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6()), port, address);
  if (::bind(fd, &address.any, size) != 0) {
    if (errno == EADDRINUSE) return std::unexpected(port_taken(port));
    return std::unexpected(system_error("Cannot bind to UDP port " + std::to_string(port.value()), errno));
  }
  return receiver;
}

UdpReceiver::UdpReceiver(int fd) : fd_(fd), scratch_(std::make_unique<Scratch>()) {}

UdpReceiver::~UdpReceiver() {
  ::close(fd_);
}

Result<std::size_t> UdpReceiver::receive(PacketBatch& batch) {
  std::size_t total = 0;
  while (!batch.full()) {
    const std::size_t first = batch.size();
    const std::size_t wanted = std::min(kMessages, batch.capacity() - first);
    for (std::size_t i = 0; i < wanted; ++i) {
      Packet& packet = batch.next();
      batch.commit();
      scratch_->buffers[i] = {packet.data(), packet.room()};
      scratch_->messages[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    }
    const int got =
        ::recvmmsg(fd_, scratch_->messages.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    const int error = errno;
    const std::size_t count = got > 0 ? static_cast<std::size_t>(got) : 0;
    batch.set_size(first + count);
    total += count;
    if (got < 0) {
      if (error == EINTR) continue;
      // What came first is delivered first; an error that lasts comes again.
      if (error == EAGAIN || total > 0) break;
      return std::unexpected(system_error("Cannot receive from the underlay", error));
    }
    const std::span<Packet> packets = batch.packets().subspan(first);
    for (std::size_t i = 0; i < count; ++i) {
      const mmsghdr& message = scratch_->messages[i];
      const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
      packets[i].set_size(truncated ? 0 : message.msg_len);
      packets[i].outer_source = load_address(scratch_->sources[i]);
      packets[i].outer_source_port = load_port(scratch_->sources[i]);
    }
    if (count < wanted) break;
  }
  return total;
}

}  // namespace vtep
