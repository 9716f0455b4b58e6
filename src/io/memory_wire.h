// An IP network in memory, so that two engines can be tested back to back without a kernel.
//
// A MemoryUnderlay is one socket on it: it receives what is sent to its address and port, or to a group it
// has joined and its port. Delivery is immediate, in order and reliable until a queue is full; fault_port.h
// makes it otherwise. TTLs and devices are ignored: everything is one hop away. Thread safety: a wire and all
// that is attached to it belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/port.h"
#include "io/underlay.h"

namespace vtep {

class MemoryUnderlay;

/// Outlives everything that is attached to it.
class MemoryWire {
 public:
  /// `mtu` counts the whole IP packet.
  explicit MemoryWire(std::size_t mtu = 1500) : mtu_(mtu) {}
  MemoryWire(const MemoryWire&) = delete;
  MemoryWire& operator=(const MemoryWire&) = delete;

  void set_mtu(std::size_t mtu) { mtu_ = mtu; }

 private:
  friend class MemoryUnderlay;
  bool has_address(const IpAddr& address) const;

  std::size_t mtu_;
  std::map<std::pair<IpAddr, Port>, MemoryUnderlay*> sockets_;
};

class MemoryUnderlay final : public UnderlayReceiver, public UnderlaySender {
 public:
  /// Datagrams that wait for receive(); more are lost, as in a full socket buffer.
  static constexpr std::size_t kQueueLength = 4096;

  /// Precondition: (address, port) is free on `wire`.
  MemoryUnderlay(MemoryWire& wire, const IpAddr& address, Port port);
  ~MemoryUnderlay() override;
  MemoryUnderlay(const MemoryUnderlay&) = delete;
  MemoryUnderlay& operator=(const MemoryUnderlay&) = delete;

  /// Precondition: group.is_multicast(). Not counted, other than Memberships.
  void join(const IpAddr& group) { groups_.insert(group); }
  void leave(const IpAddr& group) { groups_.erase(group); }
  /// Datagrams lost because nobody called receive().
  std::uint64_t overflows() const override { return overflows_; }

  Result<std::size_t> receive(PacketBatch& batch) override;
  int fd() const override { return -1; }

  /// kTooBig: larger than the wire's MTU, which the failure tells. kUnreachable: nobody has that address, or
  /// `local` is not ours. A port nobody listens to is no failure, and neither is a group without members. A
  /// sender does not hear itself.
  void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) override;

 private:
  struct Queued {
    std::vector<std::uint8_t> payload;
    IpAddr source;
    Port source_port;
    std::uint8_t tos;
  };

  void deliver(const Datagram& datagram, MemoryUnderlay& to) const;
  std::optional<SendFailure> send_one(const Datagram& datagram) const;

  MemoryWire& wire_;
  const IpAddr address_;
  const Port port_;
  std::set<IpAddr> groups_;
  std::deque<Queued> queue_;
  std::uint64_t overflows_ = 0;
};

}  // namespace vtep
