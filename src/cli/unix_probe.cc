#include "cli/unix_probe.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vtep {

namespace {

Error explain(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:  // the socket of a daemon that died
      return {
          ErrorKind::kUnavailable,
          fmt::format("no daemon answers on {}: start it with 'vtepd &', or name its socket with --socket",
                      path)};
    case EACCES:
    case EPERM:
      return {ErrorKind::kPermission,
              fmt::format(
                  "you may not talk to the daemon on {}: try as root, or join the group that owns the socket",
                  path)};
    case EAGAIN:
      return {ErrorKind::kUnavailable,
              fmt::format("the daemon on {} is too busy to answer: try again later", path)};
    default:
      return {ErrorKind::kSystem, fmt::format("cannot connect to {}: {}", path, std::strerror(error))};
  }
}

}  // namespace

Result<void> probe_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} is too long for the path of a unix socket: {} characters are the "
                            "most",
                            path, sizeof(address.sun_path) - 1));
  }
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::unexpected(explain(path, errno));
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  ::close(fd);
  if (result != 0) return std::unexpected(explain(path, error));
  return {};
}

}  // namespace vtep
