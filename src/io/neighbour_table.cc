#include "io/neighbour_table.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "io/neighbour_change.h"
#include "io/neighbour_message.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"
#include "io/netlink_watch.h"

namespace vtep {
namespace {

struct Neighbours {
  using Change = NeighbourEntry;
  using Key = std::pair<IfIndex, IpAddr>;
  static Key key(const NeighbourEntry& entry) { return {entry.device, entry.ip}; }
  static bool is_removal(const NeighbourEntry& entry) { return entry.removed; }
  static NeighbourEntry removal(const Key& key) {
    return {.device = key.first, .ip = key.second, .mac = {}, .removed = true};
  }
};

Result<std::vector<NeighbourEntry>> list_neighbours(NetlinkSocket& socket, IfIndex device) {
  std::vector<NeighbourEntry> entries;
  const auto begin = [&] {
    entries.clear();
    ndmsg header{};
    header.ndm_family = AF_UNSPEC;
    NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP, header);
    // Old kernels answer with all devices.
    if (device.is_set()) request.add(NDA_IFINDEX, device.value());
    return request;
  };
  auto dumped = socket.dump(begin, "neighbours", [&](std::uint16_t type, ByteView payload) {
    if (type != RTM_NEWNEIGH) return;
    const auto entry = parse_neighbour(payload);
    if (entry && (!device.is_set() || entry->device == device)) entries.push_back(*entry);
  });
  if (!dumped) return std::unexpected(std::move(dumped).error());
  return entries;
}

std::string what_failed(const NeighbourEntry& entry, LinkNames& names) {
  const std::string neighbour = entry.ip.to_string() + " dev " + names.of(entry.device);
  if (entry.removed) return "Cannot delete the neighbour " + neighbour;
  return "Cannot set the neighbour " + neighbour + " to " + entry.mac.to_string();
}

}  // namespace

struct NeighbourTable::Impl {
  NetlinkSocket requests;
  NetlinkWatch<Neighbours> watch;
};

Result<std::unique_ptr<NeighbourTable>> NeighbourTable::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  constexpr std::array<int, 1> kGroups = {RTNLGRP_NEIGH};
  auto events = NetlinkSocket::subscribe(kGroups);
  if (!events) return std::unexpected(std::move(events).error());
  if (auto filtered = events->hear_only(NetlinkSocket::Neighbours::kHosts); !filtered) {
    return std::unexpected(std::move(filtered).error());
  }
  auto entries = list_neighbours(*requests, {});
  if (!entries) return std::unexpected(std::move(entries).error());
  return std::unique_ptr<NeighbourTable>(new NeighbourTable(
      std::make_unique<Impl>(*std::move(requests), NetlinkWatch<Neighbours>(*std::move(events), *entries))));
}

NeighbourTable::NeighbourTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NeighbourTable::~NeighbourTable() = default;

Result<std::vector<NeighbourEntry>> NeighbourTable::neighbours(IfIndex device) {
  return list_neighbours(impl_->requests, device);
}

Result<void> NeighbourTable::set(IfIndex device, const IpAddr& ip, const MacAddr& mac) {
  const NeighbourEntry entry{.device = device, .ip = ip, .mac = mac};
  return apply({&entry, 1}).front();
}

Result<void> NeighbourTable::remove(IfIndex device, const IpAddr& ip) {
  const NeighbourEntry entry{.device = device, .ip = ip, .mac = {}, .removed = true};
  return apply({&entry, 1}).front();
}

std::vector<Result<void>> NeighbourTable::apply(std::span<const NeighbourEntry> entries) {
  const auto refusals = impl_->requests.request_all(entries.size(), [&](std::size_t i) {
    const NeighbourEntry& entry = entries[i];
    ndmsg header{};
    header.ndm_family = netlink_family(entry.ip);
    header.ndm_ifindex = static_cast<int>(entry.device.value());
    header.ndm_state = entry.extern_learn ? NUD_NOARP : NUD_PERMANENT;
    if (entry.extern_learn) header.ndm_flags |= NTF_EXT_LEARNED;
    if (entry.router) header.ndm_flags |= NTF_ROUTER;
    NetlinkRequest request = entry.removed
                                 ? NetlinkRequest(RTM_DELNEIGH, 0, header)
                                 : NetlinkRequest(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, header);
    request.add(NDA_DST, entry.ip);
    if (entry.protocol != 0) request.add(NDA_PROTOCOL, ByteView(&entry.protocol, 1));
    const auto mac = entry.mac.octets();
    if (!entry.removed) request.add(NDA_LLADDR, ByteView(mac));
    return request;
  });

  std::vector<Result<void>> results(entries.size());
  LinkNames names(impl_->requests);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!refusals[i]) continue;
    const int error = refusals[i]->error_number;
    if (entries[i].removed && (error == ENOENT || error == ENODEV)) continue;
    results[i] = std::unexpected(refusals[i]->to_error(what_failed(entries[i], names)));
  }
  return results;
}

void NeighbourTable::on_neighbour(Listener listener) {
  impl_->watch.on_change(std::move(listener));
}

int NeighbourTable::fd() const {
  return impl_->watch.fd();
}

void NeighbourTable::dispatch() {
  const auto take = [](std::uint16_t type, ByteView payload) {
    return take_neighbour_change(type, payload, &parse_neighbour);
  };
  impl_->watch.dispatch(take, [this] { return list_neighbours(impl_->requests, {}); });
}

}  // namespace vtep
