#include "io/has_ipv6.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vtep {
namespace {

namespace fs = std::filesystem;

/// A file that cannot be read disables nothing.
bool is_disabled(const fs::path& interface) {
  int value = 0;
  std::ifstream(interface / "disable_ipv6") >> value;
  return value != 0;
}

/// "all" writes to every interface there is, and one of them may have been enabled again since.
bool is_disabled_everywhere() {
  const fs::path settings = "/proc/sys/net/ipv6/conf";
  if (!is_disabled(settings / "all")) return false;
  std::error_code error;
  fs::directory_iterator interfaces(settings, error);
  for (; !error && interfaces != fs::directory_iterator(); interfaces.increment(error)) {
    const fs::path& interface = interfaces->path();
    const bool is_template = interface.filename() == "all" || interface.filename() == "default";
    if (!is_template && !is_disabled(interface)) return false;
  }
  return true;
}

}  // namespace

bool has_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool known = fd >= 0 || errno != EAFNOSUPPORT;
  if (fd >= 0) ::close(fd);
  return known && !is_disabled_everywhere();
}

}  // namespace vtep
