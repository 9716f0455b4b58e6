#include "io/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
#include "io/tap_queue.h"
#include "io/virtio_header.h"

namespace vtep {
namespace {

constexpr const char* kDevice = "/dev/net/tun";
constexpr int kStateAttempts = 5;
/// TUN_F_USO4 and TUN_F_USO6, which Linux 6.2 takes only together, and older headers do not have.
constexpr unsigned kTunUdpSegments = 0x20 | 0x40;

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

/// False: the interface has one queue, and no other file can be attached.
Result<bool> attach(int fd, std::string_view name) {
  constexpr int kFlags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  ifreq request = make_request(name, kFlags | IFF_MULTI_QUEUE);
  if (::ioctl(fd, TUNSETIFF, &request) == 0) return true;
  if (errno == EINVAL) {
    // A persistent TAP keeps the queueing it was made with (`ip tuntap` makes single-queue ones).
    request = make_request(name, kFlags);
    if (::ioctl(fd, TUNSETIFF, &request) == 0) return false;
  }

  const int error_number = errno;
  if (error_number == EBUSY) return std::unexpected(in_use(name));
  Error error = system_error("Cannot create the TAP interface \"" + std::string(name) + "\"", error_number);
  if (error_number == EINVAL) error.kind = ErrorKind::kInvalid;
  if (error.kind == ErrorKind::kPermission) error.message += "; vtepd needs CAP_NET_ADMIN";
  return std::unexpected(std::move(error));
}

Result<void> set_up_header(int fd) {
  int header_size = kVirtioHeaderSize;
  if (::ioctl(fd, TUNSETVNETHDRSZ, &header_size) != 0) {
    return std::unexpected(system_error("Cannot set the TAP's virtio header size", errno));
  }
  // Little-endian even on machines that are not; where the kernel cannot be asked it is so already.
  int little_endian = 1;
  if (::ioctl(fd, TUNSETVNETLE, &little_endian) != 0 && errno != EINVAL) {
    return std::unexpected(system_error("Cannot set the TAP's byte order", errno));
  }
  return {};
}

/// The most that this kernel can leave for us to do, for all queues. True: UDP segmentation is among it.
Result<bool> set_up_offloads(int fd) {
  constexpr unsigned kTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (::ioctl(fd, TUNSETOFFLOAD, kTcp | kTunUdpSegments) == 0) return true;
  if (::ioctl(fd, TUNSETOFFLOAD, kTcp) == 0) return false;
  return std::unexpected(system_error("Cannot set the TAP's offloads", errno));
}

Result<int> open_device() {
  const int fd = ::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return std::unexpected(cannot_open_device(errno));
  return fd;
}

}  // namespace

Result<std::unique_ptr<Tap>> Tap::open(std::string_view name, std::size_t queues) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return fail(ErrorKind::kInvalid,
                "\"" + std::string(name) + "\" is no interface name: 1 to 15 characters");
  }
  if (auto free = check_free(name); !free) return std::unexpected(std::move(free).error());

  const auto fd = open_device();
  if (!fd) return std::unexpected(fd.error());
  std::unique_ptr<Tap> tap(new Tap(*fd));
  const auto is_multi_queue = attach(*fd, name);
  if (!is_multi_queue) return std::unexpected(is_multi_queue.error());
  if (auto ready = set_up_header(*fd); !ready) return std::unexpected(std::move(ready).error());
  const auto udp_segments = set_up_offloads(*fd);
  if (!udp_segments) return std::unexpected(udp_segments.error());
  tap->takes_udp_segments_ = *udp_segments;

  while (tap->queues_.size() < (*is_multi_queue ? 1 : queues)) {
    const int again = ::fcntl(*fd, F_DUPFD_CLOEXEC, 0);
    if (again < 0) return std::unexpected(system_error("Cannot open another file of the TAP", errno));
    const auto use = tap->queues_.empty() ? TapQueue::Use::kReadAndWrite : TapQueue::Use::kWrite;
    tap->queues_.push_back(std::make_unique<TapQueue>(again, *udp_segments, use));
  }
  while (tap->queues_.size() < queues) {
    const auto next = open_device();
    if (!next) return std::unexpected(next.error());
    tap->queues_.push_back(std::make_unique<TapQueue>(*next, *udp_segments));
    if (auto attached = attach(*next, name); !attached) return std::unexpected(std::move(attached).error());
  }
  return tap;
}

Tap::Tap(int control) : control_(control) {}

Tap::~Tap() {
  ::close(control_);
}

std::vector<std::unique_ptr<FramePort>> Tap::take_queues() {
  return std::exchange(queues_, {});
}

Result<void> Tap::set_persistent(bool persistent) {
  if (::ioctl(control_, TUNSETPERSIST, persistent ? 1UL : 0UL) != 0) {
    return std::unexpected(system_error("Cannot make the TAP interface persistent", errno));
  }
  return {};
}

Result<std::string> Tap::current_name() const {
  ifreq request{};
  if (::ioctl(control_, TUNGETIFF, &request) != 0) {
    if (errno == EBADFD) return fail(ErrorKind::kUnavailable, "The TAP interface has been deleted");
    return std::unexpected(system_error("Cannot ask for the TAP interface's name", errno));
  }
  return std::string(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ));
}

Result<NetworkNamespace> Tap::device_namespace() const {
  const int fd = ::ioctl(control_, TUNGETDEVNETNS, 0);
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

}  // namespace vtep
