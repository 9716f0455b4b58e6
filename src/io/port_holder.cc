#include "io/port_holder.h"

#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "io/netlink_links.h"
#include "io/netlink_socket.h"
#include "io/process_files.h"

namespace vtep {
namespace {

/// `0100007F:12B5` → 0x12B5
std::optional<unsigned> port_of(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = address.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return port;
}

/// The sockets bound to `port`, as /proc/PID/fd shows them. The tables are those of this thread's namespace.
std::set<std::string> sockets_on(Port port) {
  std::set<std::string> sockets;
  for (const char* path : {"/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"}) {
    std::ifstream table(path);
    std::string line;
    std::getline(table, line);  // column titles
    while (std::getline(table, line)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
      std::istringstream columns(line);
      std::string slot, local, skipped, inode;
      columns >> slot >> local;
      for (int i = 0; i < 7; ++i) columns >> skipped;
      columns >> inode;
      if (columns && port_of(local) == port.value()) sockets.insert("socket:[" + inode + "]");
    }
  }
  return sockets;
}

/// The kernel's own sockets belong to no process.
std::optional<std::string> find_vxlan_device(Port port) {
  auto socket = NetlinkSocket::create();
  if (!socket) return std::nullopt;
  const auto links = dump_links(*socket);
  if (!links) return std::nullopt;
  for (const LinkMessage& link : *links) {
    // The socket exists while the device is up.
    if (link.interface.kind != "vxlan" || link.vxlan_port != port || !link.interface.is_up()) continue;
    std::string text = "the kernel's vxlan device " + link.interface.name;
    if (link.vxlan_vni) text += " (VNI " + std::to_string(*link.vxlan_vni) + ")";
    return text;
  }
  return std::nullopt;
}

}  // namespace

std::string describe_port_holder(Port port) {
  const std::set<std::string> sockets = sockets_on(port);
  const auto process = find_process([&](const OpenFile& file) { return sockets.contains(file.target); });
  if (process) return *process;
  if (const auto device = find_vxlan_device(port)) return *device;
  return "another socket";
}

}  // namespace vtep
