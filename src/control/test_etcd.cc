#include "control/test_etcd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace vtep {
namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr int kNoProgram = 127;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// The whole answer; empty if there is none.
std::string ask(std::uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = loopback(port);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

}  // namespace

std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<int> files;
  std::vector<std::uint16_t> ports;
  while (ports.size() < count) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const int fd = files.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error(fmt::format("no free port: {}", std::strerror(errno)));
    }
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int fd : files) ::close(fd);
  return ports;
}

TestDirectory::TestDirectory() {
  std::string pattern = testing::TempDir() + "/vtep-etcd-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestEtcd::TestEtcd(std::vector<std::string> arguments, std::string scheme)
    : arguments_(std::move(arguments)) {
  const auto ports = free_ports(3);
  client_port_ = ports[0];
  health_port_ = ports[1];
  name_ = fmt::format("m{}", ports[2]);
  endpoint_ = fmt::format("{}://127.0.0.1:{}", scheme, client_port_);
  peer_url_ = fmt::format("http://127.0.0.1:{}", ports[2]);
}

TestEtcd::~TestEtcd() {
  end(SIGKILL);
}

void TestEtcd::launch(const std::string& members) {
  std::vector<std::string> words = {"etcd",
                                    "--name",
                                    name_,
                                    "--data-dir",
                                    directory_.file("data"),
                                    "--listen-client-urls",
                                    endpoint_,
                                    "--advertise-client-urls",
                                    endpoint_,
                                    "--listen-peer-urls",
                                    peer_url_,
                                    "--initial-advertise-peer-urls",
                                    peer_url_,
                                    "--initial-cluster",
                                    members.empty() ? member() : members,
                                    "--listen-metrics-urls",
                                    fmt::format("http://127.0.0.1:{}", health_port_),
                                    "--heartbeat-interval",
                                    "50",
                                    "--election-timeout",
                                    "500"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = directory_.file("log");

  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execvp("etcd", argv.data());
    ::_exit(kNoProgram);
  }
  if (pid_ < 0) throw std::runtime_error(fmt::format("cannot fork: {}", std::strerror(errno)));
}

void TestEtcd::wait_until_healthy() {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < limit) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      if (WIFEXITED(status) && WEXITSTATUS(status) == kNoProgram) {
        throw std::runtime_error("the program etcd is missing: run scripts/install-deps test");
      }
      break;
    }
    if (ask(health_port_, "GET /health HTTP/1.0\r\n\r\n").find(R"("health":"true")") != std::string::npos)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::ifstream file(directory_.file("log"));
  const std::string log(std::istreambuf_iterator<char>(file), {});
  throw std::runtime_error("etcd does not start: " +
                           log.substr(log.size() - std::min<std::size_t>(log.size(), 2000)));
}

void TestEtcd::end(int signal) {
  if (pid_ < 0) return;
  ::kill(pid_, signal);
  ::kill(pid_, SIGCONT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void TestEtcd::stop() {
  end(SIGTERM);
}

void TestEtcd::crash() {
  end(SIGKILL);
}

void TestEtcd::pause() {
  ::kill(pid_, SIGSTOP);
}

void TestEtcd::resume() {
  ::kill(pid_, SIGCONT);
}

void TestEtcd::forget() {
  std::filesystem::remove_all(directory_.file("data"));
}

std::string TestEtcd::post(const std::string& path, const std::string& body) const {
  const std::string answer = ask(
      client_port_, fmt::format("POST {} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{}", path, body.size(), body));
  const auto head = answer.find("\r\n\r\n");
  if (answer.find(" 200 ") > answer.find("\r\n")) throw std::runtime_error(path + ": " + answer);
  return answer.substr(head + 4);
}

bool TestEtcd::is_leader() const {
  const std::string status = post("/v3/maintenance/status", "{}");
  const auto number = [&](const std::string& name) {
    const auto start = status.find('"' + name + "\":\"");
    if (start == std::string::npos) return std::string();
    const auto digits = start + name.size() + 4;
    return status.substr(digits, status.find('"', digits) - digits);
  };
  return !number("leader").empty() && number("leader") == number("member_id");
}

TestEtcd* shared_etcd() {
  static std::unique_ptr<TestEtcd> etcd;
  if (!etcd) {
    auto fresh = std::make_unique<TestEtcd>();
    fresh->start();
    etcd = std::move(fresh);
  }
  return etcd.get();
}

}  // namespace vtep
