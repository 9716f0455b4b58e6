#include "io/send_pool.h"

#include <linux/filter.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vtep {
namespace {

constexpr int kSendBuffer = 1 << 20;

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/// Nothing is ever received: what is sent to a source port would fill a buffer that nobody reads.
bool attach_deaf_filter(int fd) {
  sock_filter drop_all = {BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program = {1, &drop_all};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

bool set_options(int fd, int family) {
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSendBuffer)) {
    set_option(fd, SOL_SOCKET, SO_SNDBUF, kSendBuffer);  // smaller is only slower
  }
  if (!set_mode(fd, family, SocketMode{})) return false;
  if (family == AF_INET) return set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
  // The flow label is what the route says, 0 included.
  return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0) &&
         set_option(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1) &&
         set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
}

}  // namespace

SendPool::SendPool(int family, std::function<void(int fd)> on_open, std::shared_ptr<SourcePorts> ports)
    : family_(family),
      on_open_(std::move(on_open)),
      ports_(ports != nullptr ? std::move(ports) : std::make_shared<SourcePorts>()),
      slot_of_port_(std::make_unique<std::uint16_t[]>(65536)) {
  sockets_.reserve(kMaxSockets);
}

SendPool::~SendPool() {
  for (const Socket& socket : sockets_) {
    ports_->release(socket.fd);
    ::close(socket.fd);
  }
}

int SendPool::add(Port source_port) {
  int fd = -1;
  if (sockets_.size() < kMaxSockets)
    fd = ::socket(family_, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  Port bound;
  if (fd >= 0) {
    const bool ready = attach_deaf_filter(fd) && set_options(fd, family_);
    const auto has = [this](Port port) { return slot_of_port_[port.value()] != 0; };
    if (ready) bound = ports_->bind(fd, family_, source_port, has);
    if (!ready || (bound.is_zero() && !source_port.is_zero())) {
      ::close(fd);
      fd = -1;
    }
  }
  if (fd < 0) {
    // Share. The port's number spreads flows evenly, and keeps each of them on one socket.
    if (sockets_.empty()) return -1;
    return remember(source_port, source_port.value() % sockets_.size());
  }
  sockets_.push_back({.fd = fd, .mode = {}});
  if (on_open_) on_open_(fd);
  const std::size_t socket = sockets_.size() - 1;
  // A stand-in serves those, too, that wish for its own port.
  if (slot_of_port_[bound.value()] == 0) remember(bound, socket);
  return remember(source_port, socket);
}

bool SendPool::set_mode(std::size_t socket, SocketMode mode) {
  Socket& one = sockets_[socket];
  return one.mode == mode || change_mode(one.fd, family_, one.mode, mode);
}

int SendPool::remember(Port source_port, std::size_t socket) {
  slot_of_port_[source_port.value()] = static_cast<std::uint16_t>(socket + 1);
  return static_cast<int>(socket);
}

}  // namespace vtep
