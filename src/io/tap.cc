#include "io/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "io/netlink_links.h"
#include "io/netlink_socket.h"
#include "io/process_files.h"
#include "io/system_error.h"
#include "io/virtio_header.h"

namespace vtep {
namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr int kStateAttempts = 5;

ifreq make_request(std::string_view name, int flags) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  return request;
}

Error cannot_open_device(int error_number) {
  Error error = system_error(std::string("Cannot open ") + kDevice, error_number);
  if (error_number == ENOENT || error_number == ENODEV || error_number == ENXIO) {
    error.kind = ErrorKind::kPermission;
    error.message += "; load the kernel's tun module (modprobe tun) or give the container this device";
  } else if (error.kind == ErrorKind::kPermission) {
    error.message += "; run as root, or give this user access to the device";
  }
  return error;
}

/// `process vtepd (pid 812)`. The kernel shows the interface's name beside an open file and not its
/// namespace, so only processes of our own can be told.
std::string describe_attached(std::string_view name) {
  const std::string wanted = "iff:\t" + std::string(name);
  std::error_code error;
  const auto ours = std::filesystem::read_symlink("/proc/thread-self/ns/net", error);
  const auto process = find_process([&](const OpenFile& file) {
    if (file.target != kDevice) return false;
    if (std::filesystem::read_symlink(file.process_path + "/ns/net", error) != ours) return false;
    std::ifstream info(file.process_path + "/fdinfo/" + file.number);
    std::string line;
    while (std::getline(info, line)) {
      if (line == wanted) return true;
    }
    return false;
  });
  return process.value_or("another process");
}

Error in_use(std::string_view name) {
  return {ErrorKind::kInUse, "Interface \"" + std::string(name) + "\" is held by " + describe_attached(name)};
}

/// Looks at the interface first: the kernel would add us as another queue of a multi-queue one that somebody
/// else reads, and says EINVAL to everything else.
Result<void> check_free(std::string_view name) {
  auto socket = NetlinkSocket::create();
  if (!socket) return std::unexpected(std::move(socket).error());
  const auto link = get_link(*socket, name);
  if (!link) {
    if (link.error().kind == ErrorKind::kNotFound) return {};
    return std::unexpected(link.error());
  }
  if (link->interface.kind != "tun" || link->tun_type != IFF_TAP) {
    return fail(ErrorKind::kExists, "Interface \"" + std::string(name) + "\" exists and is no TAP");
  }
  if (link->tun_queues.value_or(0) > 0) return std::unexpected(in_use(name));
  return {};
}

Result<void> attach(int fd, std::string_view name) {
  constexpr int kFlags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  ifreq request = make_request(name, kFlags | IFF_MULTI_QUEUE);
  int status = ::ioctl(fd, TUNSETIFF, &request);
  if (status != 0 && errno == EINVAL) {
    // A persistent TAP keeps the queueing it was made with (`ip tuntap` makes single-queue ones).
    request = make_request(name, kFlags);
    status = ::ioctl(fd, TUNSETIFF, &request);
  }
  if (status == 0) return {};

  const int error_number = errno;
  if (error_number == EBUSY) return std::unexpected(in_use(name));
  Error error = system_error("Cannot create the TAP interface \"" + std::string(name) + "\"", error_number);
  if (error_number == EINVAL) error.kind = ErrorKind::kInvalid;
  if (error.kind == ErrorKind::kPermission) error.message += "; vtepd needs CAP_NET_ADMIN";
  return std::unexpected(std::move(error));
}

Result<void> set_up_offloads(int fd) {
  int header_size = kVirtioHeaderSize;
  if (::ioctl(fd, TUNSETVNETHDRSZ, &header_size) != 0) {
    return std::unexpected(system_error("Cannot set the TAP's virtio header size", errno));
  }
  // Little-endian even on machines that are not; where the kernel cannot be asked it is so already.
  int little_endian = 1;
  if (::ioctl(fd, TUNSETVNETLE, &little_endian) != 0 && errno != EINVAL) {
    return std::unexpected(system_error("Cannot set the TAP's byte order", errno));
  }
  // Checksums only: frames never exceed the MTU, and the engine finishes what is left open.
  if (::ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM) != 0) {
    return std::unexpected(system_error("Cannot set the TAP's offloads", errno));
  }
  return {};
}

/// The interface was deleted: EBADFD at once, EFAULT from a read that was under way.
bool is_gone(int error_number) {
  return error_number == EBADFD || error_number == EFAULT;
}

void count_failure(int error_number, WriteReport& report) {
  if (error_number == EIO || error_number == EBADFD) {
    ++report.interface_down;
  } else if (error_number == EAGAIN || error_number == ENOBUFS || error_number == ENOMEM) {
    ++report.queue_full;
  } else {
    ++report.refused;
  }
}

}  // namespace

Result<std::unique_ptr<Tap>> Tap::open(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return fail(ErrorKind::kInvalid,
                "\"" + std::string(name) + "\" is no interface name: 1 to 15 characters");
  }
  if (auto free = check_free(name); !free) return std::unexpected(std::move(free).error());

  const int fd = ::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return std::unexpected(cannot_open_device(errno));
  std::unique_ptr<Tap> tap(new Tap(fd));
  if (auto attached = attach(fd, name); !attached) return std::unexpected(std::move(attached).error());
  if (auto ready = set_up_offloads(fd); !ready) return std::unexpected(std::move(ready).error());
  return tap;
}

Tap::Tap(int fd) : fd_(fd) {}

Tap::~Tap() {
  ::close(fd_);
}

Result<void> Tap::set_persistent(bool persistent) {
  if (::ioctl(fd_, TUNSETPERSIST, persistent ? 1UL : 0UL) != 0) {
    return std::unexpected(system_error("Cannot make the TAP interface persistent", errno));
  }
  return {};
}

Result<std::string> Tap::current_name() const {
  ifreq request{};
  if (::ioctl(fd_, TUNGETIFF, &request) != 0) {
    if (errno == EBADFD) return fail(ErrorKind::kUnavailable, "The TAP interface has been deleted");
    return std::unexpected(system_error("Cannot ask for the TAP interface's name", errno));
  }
  return std::string(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
}

Result<NetworkNamespace> Tap::device_namespace() const {
  const int fd = ::ioctl(fd_, TUNGETDEVNETNS, 0);
  if (fd >= 0) return NetworkNamespace(fd);
  if (errno == EBADFD) return fail(ErrorKind::kUnavailable, "The TAP interface has been deleted");
  Error error = system_error("Cannot ask for the TAP interface's namespace", errno);
  if (errno == EINVAL || errno == ENOTTY) error.kind = ErrorKind::kInvalid;
  return std::unexpected(std::move(error));
}

Result<TapState> Tap::state() const {
  Result<TapState> state = fail(ErrorKind::kUnavailable, "The TAP interface changes too fast");
  for (int attempt = 0; attempt < kStateAttempts && !state; ++attempt) {
    const auto home = device_namespace();
    if (!home) return std::unexpected(home.error());
    const auto here = NetworkNamespace::current();
    if (!here) return std::unexpected(here.error());
    const auto entered = home->run([&] { state = state_here(); });
    if (!entered) return std::unexpected(entered.error());
    if (state) state->away = !(*home == *here);
    // It may have been renamed or have moved on in between; then it is asked for again.
    if (!state && state.error().kind != ErrorKind::kNotFound) break;
  }
  return state;
}

Result<TapState> Tap::state_here() const {
  const auto name = current_name();
  if (!name) return std::unexpected(name.error());
  auto socket = NetlinkSocket::create();
  if (!socket) return std::unexpected(std::move(socket).error());
  const auto link = get_link(*socket, *name);
  if (!link) return std::unexpected(link.error());
  const Interface& interface = link->interface;
  if (interface.kind != "tun" || current_name() != interface.name) {
    return fail(ErrorKind::kNotFound, "Cannot find device \"" + *name + "\"");
  }
  return TapState{.name = interface.name,
                  .index = interface.index,
                  .address = interface.address,
                  .mtu = interface.mtu,
                  .up = interface.is_up()};
}

Result<std::size_t> Tap::read(PacketBatch& batch) {
  std::array<std::uint8_t, kVirtioHeaderSize> header;
  std::uint8_t overflow = 0;
  std::size_t count = 0;
  while (!batch.full()) {
    Packet& packet = batch.next();
    // The last byte is written only by a frame that does not fit the buffer.
    const std::array<iovec, 3> parts = {
        {{header.data(), header.size()}, {packet.data(), packet.room()}, {&overflow, sizeof(overflow)}}};
    const ssize_t got = ::readv(fd_, parts.data(), static_cast<int>(parts.size()));
    if (got < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      // What was read first is delivered first; an error comes again.
      if (error == EAGAIN || count > 0) break;
      if (is_gone(error)) return fail(ErrorKind::kUnavailable, "The TAP interface has been deleted");
      return std::unexpected(system_error("Cannot read from the TAP interface", error));
    }
    const std::size_t size =
        static_cast<std::size_t>(got) - std::min<std::size_t>(static_cast<std::size_t>(got), header.size());
    if (size <= packet.room()) {
      packet.set_size(size);
      packet.offload = parse_virtio_header(header, packet.view()).value_or(Offload{});
    }
    batch.commit();
    ++count;
  }
  return count;
}

WriteReport Tap::write(std::span<Packet> frames) {
  WriteReport report;
  for (Packet& frame : frames) {
    if (frame.headroom() < kVirtioHeaderSize) {
      ++report.refused;
      continue;
    }
    std::uint8_t* const start = frame.data() - kVirtioHeaderSize;
    store_virtio_header(frame.offload, start);
    ssize_t put = -1;
    do {
      put = ::write(fd_, start, kVirtioHeaderSize + frame.size());
    } while (put < 0 && errno == EINTR);
    if (put >= 0) {
      ++report.written;
    } else {
      count_failure(errno, report);
    }
  }
  return report;
}

}  // namespace vtep
