#include "io/udp_receiver.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/in6.h>
#include <linux/sock_diag.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include "io/has_ipv6.h"
#include "io/port_holder.h"
#include "io/receive_control.h"
#include "io/socket_address.h"
#include "io/system_error.h"

namespace vtep {
namespace {

constexpr std::size_t kMessages = 64;
/// Some second-level cache: enough to merge what belongs together.
constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr std::size_t kMinMessages = 4;

/// A small buffer costs datagrams and not correctness, so failing is fine.
void enlarge_buffer(int fd) {
  const int size = UdpReceiver::kReceiveBuffer;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
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

Result<int> open_socket(UdpReceiver::Family family) {
  const bool v4 = family == UdpReceiver::Family::kV4;
  const std::string what = std::string("Cannot open a UDP socket for ") + (v4 ? "IPv4" : "IPv6");
  if (!v4 && !has_ipv6()) return fail(ErrorKind::kUnavailable, what + ": IPv6 is disabled here");
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return std::unexpected(system_error(what, errno));
  return fd;
}

Result<void> bind_to(int fd, UdpReceiver::Family family, Port port) {
  SocketAddress address;
  const bool v4 = family == UdpReceiver::Family::kV4;
  const socklen_t size = store_address(v4 ? IpAddr(Ipv4()) : IpAddr(Ipv6()), port, address);
  if (::bind(fd, &address.any, size) == 0) return {};
  if (errno == EADDRINUSE) return std::unexpected(port_taken(port));
  return std::unexpected(system_error("Cannot bind to UDP port " + std::to_string(port.value()), errno));
}

/// Only what is sent to this host alone. A membership of its own the socket never has; broadcasts have no
/// such option, but a mark that they came as one.
bool hear_unicast_only(int fd, UdpReceiver::Family family) {
  if (family == UdpReceiver::Family::kV6) return set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  constexpr auto kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
  sock_filter drop_broadcasts[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, kPacketType},
                                   {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_BROADCAST},
                                   {BPF_RET | BPF_K, 0, 0, 0},
                                   {BPF_RET | BPF_K, 0, 0, 0xffffffff}};
  const sock_fprog program = {std::size(drop_broadcasts), drop_broadcasts};
  return set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
         ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/// The whole message if it is one datagram, else each of them, all in the buffer in which they came.
void unpack(const mmsghdr& message, const Received& received, Packet whole, PacketBatch& batch,
            bool (*is_super_frame)(ByteView message, std::size_t segment)) {
  const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  const std::size_t size = truncated ? 0 : message.msg_len;
  const std::size_t segment = received.segment_size;
  if (segment == 0 || segment >= size) {
    whole.set_size(size);
    batch.append(whole);
    return;
  }
  if (is_super_frame != nullptr && is_super_frame(ByteView(whole.data(), size), segment)) {
    whole.set_size(size);
    whole.offload.segmentation = Segmentation::kUdp;
    whole.offload.segment_size = static_cast<std::uint16_t>(segment);
    batch.append(whole);
    return;
  }
  // None of them may grow into its neighbours.
  Packet part = whole;
  for (std::size_t at = 0; at < size; at += segment) {
    const std::size_t length = std::min(segment, size - at);
    const std::size_t headroom = at == 0 ? whole.headroom() : 0;
    part.move_to(ByteSpan(whole.data() + at - headroom, headroom + length), headroom);
    part.set_size(length);
    batch.append(part);
  }
}

}  // namespace

struct UdpReceiver::Scratch {
  std::array<mmsghdr, kMessages> messages{};
  std::array<iovec, kMessages> buffers{};
  std::array<SocketAddress, kMessages> sources{};
  std::array<ReceiveControl, kMessages> controls{};

  Scratch() {
    for (std::size_t i = 0; i < kMessages; ++i) {
      messages[i].msg_hdr.msg_iov = &buffers[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_name = &sources[i];
      messages[i].msg_hdr.msg_control = &controls[i];
    }
  }
};

Result<std::unique_ptr<UdpReceiver>> UdpReceiver::open(Family family, Port port,
                                                       const ReceiverOptions& options) {
  auto group = open_group(family, port, 1, options);
  if (!group) return std::unexpected(std::move(group).error());
  return std::move(group->front());
}

Result<std::vector<std::unique_ptr<UdpReceiver>>> UdpReceiver::open_group(Family family, Port port,
                                                                          std::size_t workers,
                                                                          const ReceiverOptions& options) {
  std::vector<std::unique_ptr<UdpReceiver>> group;
  do {
    const auto fd = open_socket(family);
    if (!fd) return std::unexpected(fd.error());
    group.push_back(std::unique_ptr<UdpReceiver>(new UdpReceiver(family, *fd)));
    if (auto ready = group.back()->set_up(options); !ready) return std::unexpected(std::move(ready).error());
    const bool is_first = group.size() == 1;
    const auto let_others_in = [&] { return set_option(*fd, SOL_SOCKET, SO_REUSEPORT, 1); };
    // The first joins nobody; the others join the first.
    if (!is_first && (!let_others_in() || !hear_unicast_only(*fd, family))) {
      return std::unexpected(system_error("Cannot share a UDP port between workers", errno));
    }
    if (auto bound = bind_to(*fd, family, port); !bound) return std::unexpected(std::move(bound).error());
    if (is_first && workers > 1 && !let_others_in()) {
      return std::unexpected(system_error("Cannot share a UDP port between workers", errno));
    }
  } while (group.size() < workers);
  return group;
}

UdpReceiver::UdpReceiver(Family family, int fd)
    : family_(family), fd_(fd), scratch_(std::make_unique<Scratch>()) {}

Result<void> UdpReceiver::set_up(const ReceiverOptions& options) {
  is_super_frame_ = options.is_super_frame;
  enlarge_buffer(fd_);
  const bool ready = family_ == Family::kV4 ? set_option(fd_, IPPROTO_IP, IP_RECVTOS, 1)
                                            : set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
                                                  set_option(fd_, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  if (!ready) return std::unexpected(system_error("Cannot set up a UDP socket", errno));
  // Before Linux 5.0 datagrams come one by one, as they do from most devices.
  if (options.receive_segments) set_option(fd_, IPPROTO_UDP, UDP_GRO, 1);
  return options.zero_checksum6 ? accept_zero_checksum6(true) : Result<void>();
}

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
  const std::size_t before = batch.size();
  std::size_t bytes = 0;
  while (!batch.full() && bytes < kReceiveBytes) {
    const std::size_t most =
        std::clamp(kReceiveBytes / std::max<std::size_t>(message_size_, 1), kMinMessages, kMessages);
    const std::size_t wanted = std::min(most, batch.free_buffers());
    for (std::size_t i = 0; i < wanted; ++i) {
      Packet buffer = batch.free_buffer(i);
      scratch_->buffers[i] = {buffer.data(), buffer.room()};
      scratch_->messages[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
      scratch_->messages[i].msg_hdr.msg_controllen = sizeof(ReceiveControl);
    }
    const int got =
        ::recvmmsg(fd_, scratch_->messages.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
    if (got < 0) {
      if (errno == EINTR) continue;
      // What came first is delivered first; an error that lasts comes again.
      if (errno == EAGAIN || batch.size() > before) break;
      return std::unexpected(system_error("Cannot receive from the underlay", errno));
    }
    const auto count = static_cast<std::size_t>(got);
    for (std::size_t i = 0; i < count; ++i) {
      mmsghdr& message = scratch_->messages[i];
      const Received received = read_control(message.msg_hdr);
      Packet whole = batch.free_buffer(i);
      whole.outer_source = load_address(scratch_->sources[i]);
      whole.outer_source_port = load_port(scratch_->sources[i]);
      whole.outer_tos = received.tos;
      unpack(message, received, whole, batch, is_super_frame_);
    }
    batch.take(count);
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += scratch_->messages[i].msg_len;
    bytes += sum;
    message_size_ = sum / count;
    if (count < wanted) break;
  }
  return batch.size() - before;
}

std::uint64_t UdpReceiver::overflows() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return overflows_;
  overflows_ += info[SK_MEMINFO_DROPS] - static_cast<std::uint32_t>(overflows_);
  return overflows_;
}

std::size_t UdpReceiver::receive_buffer() const {
  int size = 0;
  socklen_t length = sizeof(size);
  if (::getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0) return 0;
  return static_cast<std::size_t>(size) / 2;  // the kernel doubles what it is asked for, for its own part
}

std::string UdpReceiver::receive_buffer_trouble() const {
  const std::size_t given = receive_buffer();
  if (given >= kReceiveBuffer) return {};
  return "The receive buffer of a UDP socket has " + std::to_string(given) + " bytes instead of " +
         std::to_string(kReceiveBuffer) +
         ", and bursts may be lost: raise net.core.rmem_max, or give vtepd CAP_NET_ADMIN";
}

}  // namespace vtep
