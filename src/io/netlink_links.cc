#include "io/netlink_links.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>

namespace vtep {
namespace {

constexpr std::size_t kMaxAlternativeName = 127;  // ALTIFNAMSIZ with its zero

Result<LinkMessage> get_one(NetlinkSocket& socket, NetlinkRequest request, const std::string& not_found) {
  std::optional<LinkMessage> link;
  const auto refusal = socket.request(std::move(request), [&](std::uint16_t type, ByteView payload) {
    if (type == RTM_NEWLINK) link = parse_link(payload);
  });
  if (refusal && refusal->error_number == ENODEV) return fail(ErrorKind::kNotFound, not_found);
  if (refusal) return std::unexpected(refusal->to_error(not_found));
  if (!link) return fail(ErrorKind::kSystem, not_found + ": the kernel's answer is damaged");
  return *std::move(link);
}

}  // namespace

Result<std::vector<LinkMessage>> dump_links(NetlinkSocket& socket) {
  std::vector<LinkMessage> links;
  const auto begin = [&] {
    links.clear();
    ifinfomsg header{};
    header.ifi_family = AF_UNSPEC;
    return NetlinkRequest(RTM_GETLINK, NLM_F_DUMP, header);
  };
  auto dumped = socket.dump(begin, "interfaces", [&](std::uint16_t type, ByteView payload) {
    if (type != RTM_NEWLINK) return;
    if (auto link = parse_link(payload)) links.push_back(*std::move(link));
  });
  if (!dumped) return std::unexpected(std::move(dumped).error());
  return links;
}

Result<LinkMessage> get_link(NetlinkSocket& socket, std::string_view name) {
  const std::string not_found = "Cannot find device \"" + std::string(name) + "\"";
  if (name.empty() || name.size() > kMaxAlternativeName) return fail(ErrorKind::kNotFound, not_found);
  NetlinkRequest request(RTM_GETLINK, 0, ifinfomsg{});
  request.add(name.size() < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, std::string(name));
  return get_one(socket, std::move(request), not_found);
}

Result<LinkMessage> get_link(NetlinkSocket& socket, IfIndex index) {
  const std::string not_found = "Cannot find device with index " + std::to_string(index.value());
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index.value());
  if (header.ifi_index <= 0) return fail(ErrorKind::kNotFound, not_found);
  return get_one(socket, NetlinkRequest(RTM_GETLINK, 0, header), not_found);
}

const std::string& LinkNames::of(IfIndex index) {
  const auto [known, is_new] = names_.try_emplace(index);
  if (is_new) {
    const auto link = get_link(socket_, index);
    known->second = link ? link->interface.name : "#" + std::to_string(index.value());
  }
  return known->second;
}

}  // namespace vtep
