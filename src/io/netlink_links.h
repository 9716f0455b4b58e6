// Asks the kernel for links over a NetlinkSocket.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/link_message.h"
#include "io/netlink_socket.h"

namespace vtep {

/// All interfaces of the namespace.
Result<std::vector<LinkMessage>> dump_links(NetlinkSocket& socket);

/// kNotFound if there is none: message `Cannot find device "eno9"`. Alternative names are found, too.
Result<LinkMessage> get_link(NetlinkSocket& socket, std::string_view name);
Result<LinkMessage> get_link(NetlinkSocket& socket, IfIndex index);

/// What interfaces are called, for sentences; each is asked for once. Lives as long as one operation, since
/// names change. `#7` where there is none.
class LinkNames {
 public:
  explicit LinkNames(NetlinkSocket& socket) : socket_(socket) {}
  const std::string& of(IfIndex index);

 private:
  NetlinkSocket& socket_;
  std::map<IfIndex, std::string> names_;
};

}  // namespace vtep
