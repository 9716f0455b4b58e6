#include "io/bridge_fdb.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <tuple>
#include <utility>

#include "base/bytes.h"
#include "io/bridge_message.h"
#include "io/neighbour_change.h"
#include "io/netlink_links.h"
#include "io/netlink_socket.h"
#include "io/netlink_watch.h"

namespace vtep {
namespace {

struct BridgeEntries {
  using Change = BridgeEntry;
  /// A MAC that moves between ports of a bridge is the same entry; one of a vxlan device may have several
  /// remotes.
  using Key = std::tuple<IfIndex, IfIndex, MacAddr, IpAddr>;
  static Key key(const BridgeEntry& entry) {
    return {entry.bridge, entry.bridge.is_set() ? IfIndex() : entry.device, entry.mac, entry.remote};
  }
  static bool is_removal(const BridgeEntry& entry) { return entry.removed; }
  static BridgeEntry removal(const Key& key) {
    BridgeEntry entry;
    std::tie(entry.bridge, entry.device, entry.mac, entry.remote) = key;
    entry.removed = true;
    return entry;
  }
};

/// Of a device, or with `bridge` of all its ports; of neither: all there are.
Result<std::vector<BridgeEntry>> list_entries(NetlinkSocket& socket, IfIndex device, IfIndex bridge) {
  std::vector<BridgeEntry> entries;
  const auto begin = [&] {
    entries.clear();
    ndmsg header{};
    header.ndm_family = AF_BRIDGE;
    header.ndm_ifindex = static_cast<int>(device.value());
    NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP, header);
    if (bridge.is_set()) request.add(NDA_MASTER, bridge.value());
    return request;
  };
  auto dumped = socket.dump(begin, "forwarding tables", [&](std::uint16_t type, ByteView payload) {
    if (type != RTM_NEWNEIGH) return;
    const auto entry = parse_bridge_entry(payload);
    if (!entry) return;
    // Old kernels answer with everything.
    const bool is_asked_for =
        (!device.is_set() || entry->device == device) && (!bridge.is_set() || entry->bridge == bridge);
    if (is_asked_for) entries.push_back(*entry);
  });
  if (!dumped) return std::unexpected(std::move(dumped).error());
  return entries;
}

int flags_of(BridgeFdb::Verb verb) {
  switch (verb) {
    case BridgeFdb::Verb::kAdd:
      return NLM_F_CREATE | NLM_F_EXCL;
    case BridgeFdb::Verb::kAppend:
      return NLM_F_CREATE | NLM_F_APPEND;
    case BridgeFdb::Verb::kReplace:
      return NLM_F_CREATE | NLM_F_REPLACE;
    case BridgeFdb::Verb::kRemove:
      break;
  }
  return 0;
}

/// As `bridge fdb` says it. The driver wants one of PERMANENT and REACHABLE.
std::uint16_t state_of(const BridgeEntry& entry) {
  if (entry.state == BridgeEntry::State::kPermanent) return NUD_NOARP | NUD_PERMANENT;
  if (entry.state == BridgeEntry::State::kStatic) return NUD_NOARP | NUD_REACHABLE;
  return NUD_REACHABLE;
}

NetlinkRequest to_request(const BridgeFdb::Request& wanted) {
  const BridgeEntry& entry = wanted.entry;
  ndmsg header{};
  header.ndm_family = AF_BRIDGE;
  header.ndm_ifindex = static_cast<int>(entry.device.value());
  header.ndm_state = state_of(entry);
  header.ndm_flags = entry.bridge.is_set() ? NTF_MASTER : NTF_SELF;
  if (entry.extern_learn) header.ndm_flags |= NTF_EXT_LEARNED;
  if (entry.router) header.ndm_flags |= NTF_ROUTER;
  const bool is_removal = wanted.verb == BridgeFdb::Verb::kRemove;
  NetlinkRequest request(is_removal ? RTM_DELNEIGH : RTM_NEWNEIGH, flags_of(wanted.verb), header);
  const auto mac = entry.mac.octets();
  request.add(NDA_LLADDR, ByteView(mac));
  if (entry.bridge.is_set()) return request;
  if (!entry.remote.is_unspecified()) request.add(NDA_DST, entry.remote);
  if (!entry.port.is_zero()) {
    std::array<std::uint8_t, 2> port{};
    store_be16(port.data(), entry.port.value());
    request.add(NDA_PORT, ByteView(port));
  }
  if (entry.vni) request.add(NDA_VNI, entry.vni->value());
  if (entry.via.is_set()) request.add(NDA_IFINDEX, entry.via.value());
  if (entry.nexthop != 0) request.add(NDA_NH_ID, entry.nexthop);
  return request;
}

std::string what_failed(const BridgeFdb::Request& request, LinkNames& names) {
  const std::string entry = request.entry.mac.to_string() + " dev " + names.of(request.entry.device);
  return (request.verb == BridgeFdb::Verb::kRemove ? "Cannot delete the entry " : "Cannot set the entry ") +
         entry;
}

}  // namespace

struct BridgeFdb::Impl {
  NetlinkSocket requests;
  NetlinkWatch<BridgeEntries> watch;
};

Result<std::unique_ptr<BridgeFdb>> BridgeFdb::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  constexpr std::array<int, 1> kGroups = {RTNLGRP_NEIGH};
  auto events = NetlinkSocket::subscribe(kGroups);
  if (!events) return std::unexpected(std::move(events).error());
  if (auto filtered = events->hear_only(NetlinkSocket::Neighbours::kBridges); !filtered) {
    return std::unexpected(std::move(filtered).error());
  }
  // Otherwise the kernel takes the header for another one, and answers with everything.
  requests->be_strict();
  auto entries = list_entries(*requests, {}, {});
  if (!entries) return std::unexpected(std::move(entries).error());
  return std::unique_ptr<BridgeFdb>(new BridgeFdb(std::make_unique<Impl>(
      *std::move(requests), NetlinkWatch<BridgeEntries>(*std::move(events), *entries))));
}

BridgeFdb::BridgeFdb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BridgeFdb::~BridgeFdb() = default;

Result<std::vector<BridgeEntry>> BridgeFdb::list(IfIndex device) {
  return list_entries(impl_->requests, device, {});
}

Result<std::vector<BridgeEntry>> BridgeFdb::list_bridge(IfIndex bridge) {
  return list_entries(impl_->requests, {}, bridge);
}

std::vector<Result<void>> BridgeFdb::apply(std::span<const Request> requests) {
  const auto refusals =
      impl_->requests.request_all(requests.size(), [&](std::size_t i) { return to_request(requests[i]); });
  std::vector<Result<void>> results(requests.size());
  LinkNames names(impl_->requests);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (refusals[i]) results[i] = std::unexpected(refusals[i]->to_error(what_failed(requests[i], names)));
  }
  return results;
}

void BridgeFdb::on_change(Listener listener) {
  impl_->watch.on_change(std::move(listener));
}

int BridgeFdb::fd() const {
  return impl_->watch.fd();
}

void BridgeFdb::dispatch() {
  const auto take = [](std::uint16_t type, ByteView payload) {
    return take_neighbour_change(type, payload, &parse_bridge_entry);
  };
  impl_->watch.dispatch(take, [this] { return list_entries(impl_->requests, {}, {}); });
}

}  // namespace vtep
