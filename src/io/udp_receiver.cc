#include "io/udp_receiver.h"

#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "io/has_ipv6.h"
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

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

Error port_taken(Port port) {
  const std::string number = std::to_string(port.value());
  return {ErrorKind::kInUse, "UDP port " + number + " is held by " + describe_port_holder(port) +
                                 "; stop it, or choose another port with dstport"};
}

/// IP_TOS comes in one byte, IPV6_TCLASS in an int.
std::uint8_t read_tos(msghdr& header) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_TOS && one->cmsg_len >= CMSG_LEN(1)) {
      return *CMSG_DATA(one);
    }
    if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_TCLASS &&
        one->cmsg_len >= CMSG_LEN(sizeof(int))) {
      int value = 0;
      std::memcpy(&value, CMSG_DATA(one), sizeof(value));
      return static_cast<std::uint8_t>(value);
    }
  }
  return 0;
}

struct alignas(cmsghdr) Control {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> bytes;
};

}  // namespace

struct UdpReceiver::Scratch {
  std::array<mmsghdr, kMessages> messages{};
  std::array<iovec, kMessages> buffers{};
  std::array<SocketAddress, kMessages> sources{};
  std::array<Control, kMessages> controls{};

  Scratch() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      messages[i].msg_hdr.msg_iov = &buffers[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_control = &controls[i];
    }
  }
};

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::open(Family family, Port port, bool zero_checksum6) {
  const bool v4 = family == Family::kV4;
  const std::string what = std::string("Cannot open a UDP socket for ") + (v4 ? "IPv4" : "IPv6");
  if (!v4 && !has_ipv6()) return fail(ErrorKind::kUnavailable, what + ": IPv6 is disabled here");
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return std::unexpected(system_error(what, errno));
  std::unique_ptr<UdpReceiver> receiver(new UdpReceiver(family, fd));

  enlarge_buffer(fd);
  const bool ready =
      v4 ? set_option(fd, IPPROTO_IP, IP_RECVTOS, 1)
         : set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  if (!ready) return std::unexpected(system_error(what, errno));
  if (zero_checksum6) {
    if (auto accepted = receiver->accept_zero_checksum6(true); !accepted) {
      return std::unexpected(std::move(accepted).error());
    }
  }
  SocketAddress address;
  const socklen_t size = store_address(v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6()), port, address);
  if (::bind(fd, &address.any, size) != 0) {
    if (errno == EADDRINUSE) return std::unexpected(port_taken(port));
    return std::unexpected(system_error("Cannot bind to UDP port " + std::to_string(port.value()), errno));
  }
  return receiver;
}

UdpReceiver::UdpReceiver(Family family, int fd)
    : family_(family), fd_(fd), scratch_(std::make_unique<Scratch>()) {}

Result<void> UdpReceiver::accept_zero_checksum6(bool accept) {
  if (family_ == Family::kV6 && !set_option(fd_, IPPROTO_UDP, UDP_NO_CHECK6_RX, accept ? 1 : 0)) {
    return std::unexpected(
        system_error("Cannot set how IPv6 datagrams without a checksum are treated", errno));
  }
  return {};
}

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
      scratch_->messages[i].msg_hdr.msg_controllen = sizeof(Control);
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
      mmsghdr& message = scratch_->messages[i];
      const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
      packets[i].set_size(truncated ? 0 : message.msg_len);
      packets[i].outer_source = load_address(scratch_->sources[i]);
      packets[i].outer_source_port = load_port(scratch_->sources[i]);
      packets[i].outer_tos = read_tos(message.msg_hdr);
    }
    if (count < wanted) break;
  }
  return total;
}

}  // namespace vtep
