#include "io/memory_wire.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "io/all_bytes.h"

namespace vtep {
namespace {

constexpr std::size_t kUdpHeader = 8;

std::size_t ip_header_size(const IpAddr& address) {
  return address.is_v4() ? 20 : 40;
}

}  // namespace

bool MemoryWire::has_address(const IpAddr& address) const {
  const auto first = sockets_.lower_bound({address, Port(0)});
  return first != sockets_.end() && first->first.first == address;
}

MemoryUnderlay::MemoryUnderlay(MemoryWire& wire, const IpAddr& address, Port port)
    : wire_(wire), address_(address), port_(port) {
  [[maybe_unused]] const bool is_free = wire_.sockets_.emplace(std::pair(address_, port_), this).second;
  assert(is_free);
}

MemoryUnderlay::~MemoryUnderlay() {
  wire_.sockets_.erase({address_, port_});
}

Result<std::size_t> MemoryUnderlay::receive(PacketBatch& batch) {
  std::size_t count = 0;
  for (; !batch.full() && !queue_.empty(); ++count) {
    const Queued& datagram = queue_.front();
    Packet& packet = batch.next();
    if (datagram.payload.size() <= packet.room()) {
      std::ranges::copy(datagram.payload, packet.data());
      packet.set_size(datagram.payload.size());
    }
    packet.outer_source = datagram.source;
    packet.outer_source_port = datagram.source_port;
    packet.outer_tos = datagram.tos;
    batch.commit();
    queue_.pop_front();
  }
  return count;
}

void MemoryUnderlay::send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto failure = send_one(batch[i]);
    if (!failure) continue;
    const bool too_big = *failure == SendFailure::kTooBig;
    failures.push_back({i, *failure, too_big ? static_cast<std::uint32_t>(wire_.mtu_) : 0});
  }
}

std::optional<SendFailure> MemoryUnderlay::send_one(const Datagram& datagram) const {
  const Route& route = datagram.route;
  if (!route.local.is_unspecified() && route.local != address_) return SendFailure::kUnreachable;
  if (route.remote.is_v4() != address_.is_v4()) return SendFailure::kUnreachable;
  const std::size_t size = ip_header_size(route.remote) + kUdpHeader + datagram.size();
  if (size > wire_.mtu_) return SendFailure::kTooBig;

  if (route.remote.is_multicast()) {
    for (const auto& [where, socket] : wire_.sockets_) {
      const bool listens = where.second == route.destination_port && socket->groups_.contains(route.remote);
      if (listens && where.first != address_) deliver(datagram, *socket);
    }
    return std::nullopt;
  }
  const auto to = wire_.sockets_.find({route.remote, route.destination_port});
  if (to != wire_.sockets_.end()) {
    deliver(datagram, *to->second);
    return std::nullopt;
  }
  if (wire_.has_address(route.remote)) return std::nullopt;
  return SendFailure::kUnreachable;
}

void MemoryUnderlay::deliver(const Datagram& datagram, MemoryUnderlay& to) const {
  if (to.queue_.size() == kQueueLength) {
    ++to.overflows_;
    return;
  }
  Queued& queued = to.queue_.emplace_back();
  queued.payload = all_bytes(datagram);
  queued.source = address_;
  queued.source_port = datagram.route.source_port;
  queued.tos = datagram.route.tos;
}

}  // namespace vtep
