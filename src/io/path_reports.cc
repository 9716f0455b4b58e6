#include "io/path_reports.h"

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "io/socket_address.h"

namespace vtep {
namespace {

constexpr std::uint8_t kVxlanIFlag = 0x08;  // RFC 7348 section 5
/// Messages in front of the one that explains a refusal; a queue of the default size holds fewer.
constexpr std::size_t kMaxBacklog = 512;

/// The kernel's sentence about one datagram.
struct Verdict {
  sock_extended_err error;
  IpAddr remote;  // where the datagram was going
  Port port;
  std::array<std::uint8_t, Datagram::kHeaderSize> header;  // the beginning of the payload that is quoted
  bool quoted;                                             // all of it

  bool is_local_refusal() const {
    return error.ee_origin == SO_EE_ORIGIN_LOCAL && error.ee_errno == EMSGSIZE;
  }
  bool is_path_report() const {
    const bool v4 = error.ee_origin == SO_EE_ORIGIN_ICMP && error.ee_type == ICMP_DEST_UNREACH &&
                    error.ee_code == ICMP_FRAG_NEEDED;
    const bool v6 = error.ee_origin == SO_EE_ORIGIN_ICMP6 && error.ee_type == ICMPV6_PKT_TOOBIG;
    return (v4 || v6) && quoted && (header[0] & kVxlanIFlag) != 0;
  }
};

enum class Read { kVerdict, kOther, kNothing };

Read read_error(int fd, Verdict& verdict) {
  SocketAddress remote{};
  iovec buffer{.iov_base = verdict.header.data(), .iov_len = verdict.header.size()};
  // The larger family's address of whoever complained stands behind the error.
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6))>
      control;
  msghdr header{};
  header.msg_name = &remote;
  header.msg_namelen = sizeof(remote);
  header.msg_iov = &buffer;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = -1;
  do {
    size = ::recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return Read::kNothing;

  verdict.quoted = static_cast<std::size_t>(size) == verdict.header.size();
  verdict.remote = load_address(remote);
  verdict.port = load_port(remote);
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    const bool is_error = (one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_RECVERR) ||
                          (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_RECVERR);
    if (!is_error || one->cmsg_len < CMSG_LEN(sizeof(verdict.error))) continue;
    std::memcpy(&verdict.error, CMSG_DATA(one), sizeof(verdict.error));
    return Read::kVerdict;
  }
  return Read::kOther;
}

}  // namespace

PathReports::PathReports()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), found_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = found_;
  if (epoll_ >= 0 && found_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, found_, &wanted) == 0) return;
  if (epoll_ >= 0) ::close(epoll_);
  epoll_ = -1;
}

PathReports::~PathReports() {
  if (epoll_ >= 0) ::close(epoll_);
  if (found_ >= 0) ::close(found_);
}

void PathReports::watch(int fd, int family) {
  if (epoll_ < 0) return;
  epoll_event wanted{};
  wanted.events = EPOLLERR | EPOLLET;
  wanted.data.fd = fd;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted) != 0) return;
  const int on = 1;
  const bool v4 = family == AF_INET;
  ::setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on));
}

bool PathReports::drain(int fd, std::size_t limit, std::vector<PathReport>& reports,
                        std::uint32_t& refused_mtu) {
  for (std::size_t i = 0; i < limit; ++i) {
    Verdict verdict{};
    const Read read = read_error(fd, verdict);
    if (read == Read::kNothing) return true;
    if (read == Read::kOther) continue;
    if (verdict.is_local_refusal()) refused_mtu = verdict.error.ee_info;
    if (verdict.is_path_report()) {
      reports.push_back({.remote = verdict.remote,
                         .port = verdict.port,
                         .header = load_be64(verdict.header.data()),
                         .mtu = verdict.error.ee_info});
    }
  }
  return false;
}

void PathReports::take(std::vector<PathReport>& reports) {
  if (epoll_ < 0) return;
  std::array<epoll_event, kMaxSockets> ready;
  const int count = ::epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), 0);
  for (int i = 0; i < count; ++i) {
    epoll_event& one = ready[static_cast<std::size_t>(i)];
    if (one.data.fd == found_) {
      std::uint64_t times = 0;
      if (::read(found_, &times, sizeof(times)) < 0) continue;
      reports.insert(reports.end(), waiting_.begin(), waiting_.end());
      waiting_.clear();
      continue;
    }
    std::uint32_t ignored = 0;
    if (drain(one.data.fd, kMaxMessages, reports, ignored)) continue;
    // The edge is used up and the rest would never be announced: ask for it anew.
    one.events = EPOLLERR | EPOLLET;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, one.data.fd, &one);
  }
}

std::uint32_t PathReports::refused_mtu(int fd) {
  std::uint32_t mtu = 0;
  const std::size_t before = waiting_.size();
  drain(fd, kMaxBacklog, waiting_, mtu);
  if (waiting_.size() > kMaxWaiting) waiting_.resize(kMaxWaiting);
  // Their edge may be gone with them.
  if (waiting_.size() > before) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(found_, &one, sizeof(one));
  }
  return mtu;
}

}  // namespace vtep
