#include "io/source_ports.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "io/socket_address.h"

namespace vtep {
namespace {

/// The dynamic ports (RFC 6335 section 6), which RFC 7348 section 5 recommends for the source.
constexpr std::uint16_t kFirstDynamicPort = 49152;
constexpr unsigned kDynamicPorts = 65536 - kFirstDynamicPort;

void let_others_in(int fd, bool on) {
  const int value = on ? 1 : 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof(value));
}

}  // namespace

Port SourcePorts::bind(int fd, int family, Port wish, const std::function<bool(Port)>& has) {
  const std::lock_guard lock(mutex_);
  if (bind_to(fd, family, wish)) return wish;
  const unsigned start = wish.value() < kFirstDynamicPort ? 0 : wish.value() - kFirstDynamicPort + 1U;
  for (unsigned i = 0; i < kDynamicPorts; ++i) {
    const Port port(static_cast<std::uint16_t>(kFirstDynamicPort + (start + i) % kDynamicPorts));
    if (!has(port) && bind_to(fd, family, port)) return port;
  }
  return {};
}

bool SourcePorts::bind_to(int fd, int family, Port port) {
  const auto held = sockets_.find({family, port});
  const std::vector<int> siblings = held == sockets_.end() ? std::vector<int>() : held->second;
  SocketAddress address;
  const socklen_t size = store_address(family == AF_INET ? IpAddr(Ipv4()) : IpAddr(Ipv6()), port, address);
  const bool shared = !siblings.empty() && !port.is_zero();
  if (shared) {
    for (const int sibling : siblings) let_others_in(sibling, true);
    let_others_in(fd, true);
  }
  const bool bound = ::bind(fd, &address.any, size) == 0;
  if (shared) {
    for (const int sibling : siblings) let_others_in(sibling, false);
    let_others_in(fd, false);
  }
  if (bound) sockets_[{family, port}].push_back(fd);
  return bound;
}

void SourcePorts::release(int fd) {
  const std::lock_guard lock(mutex_);
  for (auto& [port, sockets] : sockets_) std::erase(sockets, fd);
  std::erase_if(sockets_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace vtep
