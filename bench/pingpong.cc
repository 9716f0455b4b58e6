// Round trips of one byte over UDP, one at a time. In C++, because an interpreter takes as long as a tunnel.
//
//   pingpong serve ADDRESS PORT            answers until it is ended; prints "ready" first
//   pingpong ask ADDRESS PORT SECONDS      prints one line of JSON, times in microseconds
//
// Both ends block in the kernel while they wait, as an ordinary program does. A round trip that takes longer
// than 200 ms counts as lost. IPv4 only. Exit status: 0, 1 the words make no sense, 2 the system refused, 3
// no answer.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/number.h"
#include "base/port.h"

namespace vtep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr timeval kLostAfter{.tv_sec = 0, .tv_usec = 200'000};
constexpr std::uint64_t kMaxSeconds = 3600;

[[noreturn]] void refused(const char* call) {
  std::perror(call);
  std::exit(2);
}

sockaddr_in to_sockaddr(Ipv4 address, Port port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port.value());
  result.sin_addr.s_addr = htonl(address.value());
  return result;
}

int open_socket() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) refused("socket");
  return fd;
}

[[noreturn]] void serve(const sockaddr_in& own) {
  const int fd = open_socket();
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) refused("bind");
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    std::uint8_t byte = 0;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const ssize_t got = ::recvfrom(fd, &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 0) refused("recvfrom");
    // An answer that cannot be sent is a lost one, which the asker counts.
    ::sendto(fd, &byte, static_cast<std::size_t>(got), 0, reinterpret_cast<const sockaddr*>(&peer), size);
  }
}

/// The time of one round trip; empty if it was lost. `number` tells its answer from a late one.
std::optional<Clock::duration> round_trip(int fd, std::uint8_t number) {
  const auto start = Clock::now();
  if (::send(fd, &number, 1, 0) != 1) return std::nullopt;
  for (;;) {
    std::uint8_t answer = 0;
    const ssize_t got = ::recv(fd, &answer, 1, 0);
    const auto took = Clock::now() - start;
    if (got == 1 && answer == number) return took;
    if (got < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED) refused("recv");
    if (got < 0 && errno != EINTR) return std::nullopt;
  }
}

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// Precondition: `sorted` is not empty.
double percentile(const std::vector<Clock::duration>& sorted, std::size_t percent) {
  return microseconds(sorted[(sorted.size() - 1) * percent / 100]);
}

int ask(const sockaddr_in& peer, std::chrono::seconds time) {
  const int fd = open_socket();
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kLostAfter, sizeof kLostAfter) != 0) refused("SO_RCVTIMEO");
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) refused("connect");

  std::vector<Clock::duration> times;
  times.reserve(1U << 20);
  std::uint64_t lost = 0;
  std::uint8_t number = 0;
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    if (const auto took = round_trip(fd, ++number)) {
      times.push_back(*took);
    } else {
      ++lost;
    }
  }
  ::close(fd);
  if (times.empty()) {
    std::fputs("pingpong: no answer\n", stderr);
    return 3;
  }
  std::ranges::sort(times);
  std::printf("{\"answered\": %zu, \"lost\": %llu, \"p50\": %.2f, \"p99\": %.2f, \"max\": %.2f}\n",
              times.size(), static_cast<unsigned long long>(lost), percentile(times, 50),
              percentile(times, 99), microseconds(times.back()));
  return 0;
}

int usage() {
  std::fputs("usage: pingpong serve ADDRESS PORT\n       pingpong ask ADDRESS PORT SECONDS\n", stderr);
  return 1;
}

int run(int argc, char** argv) {
  if (argc < 4) return usage();
  const std::string_view what = argv[1];
  const auto address = Ipv4::parse(argv[2]);
  const auto number = parse_number(argv[3], 0xffff);
  if (!address || !number) return usage();
  const sockaddr_in end = to_sockaddr(*address, *Port::from(*number));
  if (what == "serve" && argc == 4) serve(end);
  const auto seconds = argc == 5 ? parse_number(argv[4], kMaxSeconds) : std::nullopt;
  if (what != "ask" || !seconds) return usage();
  return ask(end, std::chrono::seconds(*seconds));
}

}  // namespace
}  // namespace vtep

int main(int argc, char** argv) {
  return vtep::run(argc, argv);
}
