#include "io/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "io/system_error.h"

namespace vtep {

NetworkNamespace::~NetworkNamespace() {
  if (fd_ >= 0) ::close(fd_);
}

Result<NetworkNamespace> NetworkNamespace::current() {
  const int fd = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(system_error("Cannot open the network namespace", errno));
  return NetworkNamespace(fd);
}

bool operator==(const NetworkNamespace& a, const NetworkNamespace& b) {
  struct stat left{};
  struct stat right{};
  return ::fstat(a.fd_, &left) == 0 && ::fstat(b.fd_, &right) == 0 && left.st_dev == right.st_dev &&
         left.st_ino == right.st_ino;
}

Result<void> NetworkNamespace::run(const std::function<void()>& work) const {
  const auto here = current();
  if (here && *here == *this) {
    work();
    return {};
  }
  int error = 0;
  try {
    std::thread([&] {
      if (::setns(fd_, CLONE_NEWNET) == 0) {
        work();
      } else {
        error = errno;
      }
    }).join();
  } catch (const std::system_error& refused) {
    error = refused.code().value();
  }
  if (error != 0) return std::unexpected(system_error("Cannot enter the network namespace", error));
  return {};
}

}  // namespace vtep
