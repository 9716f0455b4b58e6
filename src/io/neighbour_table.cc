#include "io/neighbour_table.h"

#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "io/neighbour_message.h"
#include "io/netlink_socket.h"
#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kDumpAttempts = 10;
/// Overruns in one dispatch() after which the rest of the queue waits for the next.
constexpr int kMaxOverruns = 16;

/// A bridge's FDB is announced to the same group, one message a MAC: not even queued. ndm_family is the first
/// byte behind the netlink header.
Result<void> ignore_bridges(int fd) {
  std::array<sock_filter, 4> code = {{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, NLMSG_HDRLEN},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_BRIDGE},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  }};
  const sock_fprog program = {code.size(), code.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return std::unexpected(system_error("Cannot filter neighbour notifications", errno));
  }
  return {};
}

}  // namespace

struct NeighbourTable::Impl {
  using Key = std::pair<IfIndex, IpAddr>;

  NetlinkSocket requests;
  NetlinkSocket events;
  Listener listener;
  // What the listener may know of and has not seen removed, so that a removal lost in an overrun can be told.
  std::set<Key> known;

  Result<std::vector<NeighbourEntry>> dump(IfIndex device);
  void take_all(std::vector<NeighbourEntry>& changes);
};

Result<std::vector<NeighbourEntry>> NeighbourTable::Impl::dump(IfIndex device) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    std::vector<NeighbourEntry> entries;
    ndmsg header{};
    header.ndm_family = AF_UNSPEC;
    NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP, header);
    // Old kernels answer with all devices.
    if (device.is_set()) request.add(NDA_IFINDEX, device.value());
    const auto refusal = requests.request(std::move(request), [&](std::uint16_t type, ByteView payload) {
      if (type != RTM_NEWNEIGH) return;
      const auto entry = parse_neighbour(payload);
      if (entry && (!device.is_set() || entry->device == device)) entries.push_back(*entry);
    });
    if (!refusal) return entries;
    if (refusal->error_number != EAGAIN) return std::unexpected(refusal->to_error("Cannot list neighbours"));
  }
  return fail(ErrorKind::kUnavailable, "Cannot list neighbours: they change too fast");
}

void NeighbourTable::Impl::take_all(std::vector<NeighbourEntry>& changes) {
  auto entries = dump({});
  if (!entries) return;
  // Of what came before the overrun only the outcome counts.
  for (const NeighbourEntry& change : changes) known.emplace(change.device, change.ip);
  changes.clear();
  std::set<Key> lost = known;
  for (const NeighbourEntry& entry : *entries) {
    lost.erase({entry.device, entry.ip});
    changes.push_back(entry);
  }
  for (const auto& [device, ip] : lost)
    changes.push_back({.device = device, .ip = ip, .mac = {}, .removed = true});
}

Result<std::unique_ptr<NeighbourTable>> NeighbourTable::create() {
  auto requests = NetlinkSocket::create();
  if (!requests) return std::unexpected(std::move(requests).error());
  constexpr std::array<int, 1> kGroups = {RTNLGRP_NEIGH};
  auto events = NetlinkSocket::subscribe(kGroups);
  if (!events) return std::unexpected(std::move(events).error());
  if (auto filtered = ignore_bridges(events->fd()); !filtered) {
    return std::unexpected(std::move(filtered).error());
  }
  auto impl = std::make_unique<Impl>(*std::move(requests), *std::move(events));
  const auto entries = impl->dump({});
  if (!entries) return std::unexpected(entries.error());
  for (const NeighbourEntry& entry : *entries) impl->known.emplace(entry.device, entry.ip);
  return std::unique_ptr<NeighbourTable>(new NeighbourTable(std::move(impl)));
}

NeighbourTable::NeighbourTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NeighbourTable::~NeighbourTable() = default;

Result<std::vector<NeighbourEntry>> NeighbourTable::neighbours(IfIndex device) {
  return impl_->dump(device);
}

void NeighbourTable::on_neighbour(Listener listener) {
  impl_->listener = std::move(listener);
}

int NeighbourTable::fd() const {
  return impl_->events.fd();
}

void NeighbourTable::dispatch() {
  std::vector<NeighbourEntry> changes;
  int overruns = 0;
  while (overruns < kMaxOverruns) {
    const auto received = impl_->events.receive([&](std::uint16_t type, ByteView payload) {
      if (type != RTM_NEWNEIGH && type != RTM_DELNEIGH) return;
      auto entry = parse_neighbour(payload);
      if (!entry) return;
      entry->removed = type == RTM_DELNEIGH;
      changes.push_back(*entry);
    });
    if (received == NetlinkSocket::Received::kNothing) break;
    if (received == NetlinkSocket::Received::kOverrun) ++overruns;
  }
  // After what is still queued, so that the last word on every entry is the newest.
  if (overruns > 0) impl_->take_all(changes);

  // The listener may ask, or replace itself.
  const Listener listener = impl_->listener;
  for (const NeighbourEntry& change : changes) {
    if (change.removed) {
      impl_->known.erase({change.device, change.ip});
    } else {
      impl_->known.emplace(change.device, change.ip);
    }
    if (listener) listener(change);
  }
}

}  // namespace vtep
