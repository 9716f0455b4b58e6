// Sends UDP datagrams of 64 bytes as fast as the system takes them, to many addresses in turn.
//
//   blaster ADDRESS COUNT PORT SECONDS     prints one line of JSON
//
// ADDRESS and the COUNT - 1 that follow it get one datagram each, then it starts again. Nothing is awaited
// and nobody needs to listen: whoever wants to know what arrived counts at the other end. IPv4 only. Exit
// status: 0, 1 the words make no sense, 2 the system refused.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/ip.h"
#include "base/number.h"
#include "base/port.h"

namespace vtep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPayload = 64;
constexpr std::size_t kBatch = 64;  // datagrams for one system call, and between two looks at the clock
constexpr std::uint64_t kMaxCount = 1 << 16;
constexpr std::uint64_t kMaxSeconds = 3600;

[[noreturn]] void refused(const char* call) {
  std::perror(call);
  std::exit(2);
}

std::vector<sockaddr_in> addresses(Ipv4 first, std::uint64_t count, Port port) {
  std::vector<sockaddr_in> result(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    result[i].sin_family = AF_INET;
    result[i].sin_port = htons(port.value());
    result[i].sin_addr.s_addr = htonl(first.value() + i);
  }
  return result;
}

/// How many datagrams the system took.
std::uint64_t blast(int fd, std::vector<sockaddr_in>& to, Clock::time_point end) {
  std::array<char, kPayload> payload{};
  iovec bytes{.iov_base = payload.data(), .iov_len = payload.size()};
  std::array<mmsghdr, kBatch> batch{};
  for (mmsghdr& message : batch) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    message.msg_hdr.msg_iov = &bytes;
    message.msg_hdr.msg_iovlen = 1;
  }
  std::uint64_t sent = 0;
  std::size_t next = 0;
  while (Clock::now() < end) {
    for (mmsghdr& message : batch) {
      message.msg_hdr.msg_name = &to[next];
      next = (next + 1) % to.size();
    }
    const int took = ::sendmmsg(fd, batch.data(), kBatch, 0);
    // A full queue is what this program is for.
    if (took < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) refused("sendmmsg");
    if (took > 0) sent += static_cast<std::uint64_t>(took);
  }
  return sent;
}

int run(int argc, char** argv) {
  const auto first = argc == 5 ? Ipv4::parse(argv[1]) : std::nullopt;
  const auto count = argc == 5 ? parse_number(argv[2], kMaxCount) : std::nullopt;
  const auto port = argc == 5 ? parse_number(argv[3], 0xffff) : std::nullopt;
  const auto seconds = argc == 5 ? parse_number(argv[4], kMaxSeconds) : std::nullopt;
  if (!first || !count || *count == 0 || !port || *port == 0 || !seconds) {
    std::fputs("usage: blaster ADDRESS COUNT PORT SECONDS\n", stderr);
    return 1;
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  std::vector<sockaddr_in> to = addresses(*first, *count, *Port::from(*port));
  const auto start = Clock::now();
  const std::uint64_t sent = blast(fd, to, start + std::chrono::seconds(*seconds));
  const std::chrono::duration<double> took = Clock::now() - start;
  ::close(fd);
  std::printf("{\"sent\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(sent), took.count());
  return 0;
}

}  // namespace
}  // namespace vtep

int main(int argc, char** argv) {
  return vtep::run(argc, argv);
}
