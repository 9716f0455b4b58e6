#include "io/memberships.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/socket_address.h"
#include "io/system_error.h"

namespace vtep {
namespace {

/// 0, or an errno. `join` false: leave.
int change_membership(int fd, const IpAddr& group, IfIndex device, bool join) {
  int status = 0;
  if (group.is_v4()) {
    ip_mreqn request{};
    request.imr_multiaddr = to_in_addr(group.v4());
    request.imr_ifindex = static_cast<int>(device.value());
    status = ::setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                          sizeof(request));
  } else {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = to_in6_addr(group.v6());
    request.ipv6mr_interface = device.value();
    status = ::setsockopt(fd, IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &request,
                          sizeof(request));
  }
  return status == 0 ? 0 : errno;
}

/// The limit of memberships on a socket, or of its option memory, which the memberships are charged to.
bool is_full(int error_number) {
  return error_number == ENOBUFS || error_number == ENOMEM;
}

Error cannot_join(const IpAddr& group, IfIndex device, int error_number) {
  Error error = system_error("Cannot join group " + group.to_string() + " on the device with index " +
                                 std::to_string(device.value()),
                             error_number);
  if (error_number == ENODEV) error.kind = ErrorKind::kUnavailable;
  return error;
}

}  // namespace

struct Memberships::Impl {
  /// A holder: unbound, so nothing ever arrives at it.
  struct Socket {
    int fd;
    bool v4;
    bool full;
  };
  struct Membership {
    std::size_t users;
    std::size_t socket;
  };

  std::vector<Socket> sockets;
  std::map<std::pair<IpAddr, IfIndex>, Membership> memberships;

  /// The index of a socket of the group's family with room, opened if there is none.
  Result<std::size_t> socket_with_room(bool v4) {
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].v4 == v4 && !sockets[i].full) return i;
    }
    const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) return std::unexpected(system_error("Cannot open a socket for multicast memberships", errno));
    sockets.push_back({.fd = fd, .v4 = v4, .full = false});
    return sockets.size() - 1;
  }
};

Memberships::Memberships() : impl_(std::make_unique<Impl>()) {}

Memberships::~Memberships() {
  for (const Impl::Socket& socket : impl_->sockets) ::close(socket.fd);
}

Result<void> Memberships::join(const IpAddr& group, IfIndex device) {
  const auto found = impl_->memberships.find({group, device});
  if (found != impl_->memberships.end()) {
    ++found->second.users;
    return {};
  }
  for (;;) {
    const std::size_t before = impl_->sockets.size();
    const auto index = impl_->socket_with_room(group.is_v4());
    if (!index) return std::unexpected(index.error());
    Impl::Socket& socket = impl_->sockets[*index];
    const int error = change_membership(socket.fd, group, device, true);
    if (error == 0) {
      impl_->memberships[{group, device}] = {.users = 1, .socket = *index};
      return {};
    }
    // A new socket that is full already means that the limit lies elsewhere.
    const bool fresh = *index == before;
    if (!is_full(error) || fresh) return std::unexpected(cannot_join(group, device, error));
    socket.full = true;
  }
}

void Memberships::leave(const IpAddr& group, IfIndex device) {
  const auto found = impl_->memberships.find({group, device});
  if (found == impl_->memberships.end() || --found->second.users > 0) return;
  Impl::Socket& socket = impl_->sockets[found->second.socket];
  // Fails only if the kernel has dropped it with the device.
  change_membership(socket.fd, group, device, false);
  socket.full = false;
  impl_->memberships.erase(found);
}

}  // namespace vtep
