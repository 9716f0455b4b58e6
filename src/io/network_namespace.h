// A network namespace that stays while it is held, and a way to do something inside.
//
// Thread safety: immutable.
#pragma once

#include <functional>
#include <utility>

#include "base/result.h"

namespace vtep {

class NetworkNamespace {
 public:
  /// Takes over a file of the kind /proc/PID/ns/net.
  explicit NetworkNamespace(int fd) : fd_(fd) {}
  NetworkNamespace(NetworkNamespace&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  NetworkNamespace& operator=(NetworkNamespace&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~NetworkNamespace();

  /// The calling thread's.
  static Result<NetworkNamespace> current();

  int fd() const { return fd_; }
  friend bool operator==(const NetworkNamespace& a, const NetworkNamespace& b);

  /// Runs `work` inside and waits for it: at once if the calling thread is there already, else in a thread of
  /// its own, so the caller never leaves its namespace. kPermission: no CAP_SYS_ADMIN. `work` must not throw.
  Result<void> run(const std::function<void()>& work) const;

 private:
  int fd_;
};

}  // namespace vtep
