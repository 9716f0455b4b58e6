#include "io/tap_search.h"

#include <fcntl.h>

#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include "io/netlink_links.h"
#include "io/network_namespace.h"

namespace vtep {
namespace {

/// Every namespace once: those that `ip netns` has named, and those that processes are in.
std::vector<NetworkNamespace> all_namespaces() {
  std::vector<NetworkNamespace> found;
  const auto add = [&found](const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    NetworkNamespace candidate(fd);
    for (const NetworkNamespace& known : found) {
      if (known == candidate) return;
    }
    found.push_back(std::move(candidate));
  };
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/run/netns", error)) add(entry.path());
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) add(entry.path() / "ns/net");
  }
  return found;
}

/// In the calling thread's namespace. Empty if it is not there, or somebody holds it.
std::unique_ptr<Tap> open_by_address(const MacAddr& address, std::size_t queues) {
  auto socket = NetlinkSocket::create();
  if (!socket) return nullptr;
  const auto links = dump_links(*socket);
  if (!links) return nullptr;
  for (const LinkMessage& link : *links) {
    if (link.interface.kind != "tun" || link.interface.address != address) continue;
    if (auto tap = Tap::open(link.interface.name, queues)) return std::move(*tap);
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Tap>> find_tap_elsewhere(const MacAddr& address, std::size_t queues) {
  const auto here = NetworkNamespace::current();
  if (!here) return std::unexpected(here.error());
  Result<void> looked;
  for (const NetworkNamespace& there : all_namespaces()) {
    if (there == *here) continue;
    std::unique_ptr<Tap> tap;
    if (auto entered = there.run([&] { tap = open_by_address(address, queues); }); !entered) looked = entered;
    if (tap) return tap;
  }
  if (!looked) return std::unexpected(looked.error());
  return fail(ErrorKind::kNotFound, "no other network namespace has a free TAP " + address.to_string());
}

}  // namespace vtep
