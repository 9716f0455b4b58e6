// The two ends of the underlay: a receiver bound to a VXLAN port, and a sender. Siblings: UdpReceiver and
// UdpSender (sockets), MemoryUnderlay (in-memory wire), and the pcap and fault decorators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/datagram.h"
#include "base/packet.h"
#include "base/result.h"

namespace vtep {

/// Not thread-safe; belongs to one thread.
class UnderlayReceiver {
 public:
  virtual ~UnderlayReceiver() = default;

  /// Appends datagrams to `batch` until it is full, nothing is left, or it is time to look at what
  /// there is; returns how many. Each packet holds
  /// the UDP payload, and its outer_source, outer_source_port and outer_tos are set. Nothing to read is 0,
  /// not an error. Datagrams that came together share a buffer: then only the first has headroom.
  virtual Result<std::size_t> receive(PacketBatch& batch) = 0;

  /// Whether IPv6 datagrams without a UDP checksum are received (RFC 6935) or dropped (RFC 8200 section 8.1).
  virtual Result<void> accept_zero_checksum6(bool accept) {
    (void)accept;  // nothing here computes checksums
    return {};
  }

  /// Datagrams lost because nobody called receive() in time. Any one thread may ask, beside the receiver's.
  virtual std::uint64_t overflows() const { return 0; }

  /// What to wait on for receive(); -1 if it cannot be waited on.
  virtual int fd() const = 0;
};

enum class SendFailure : std::uint8_t {
  kTooBig,       ///< larger than the path takes; never fragmented (RFC 7348 section 4.3)
  kUnreachable,  ///< no route, or the network said so
  kDeviceDown,   ///< the underlay device is down or gone
  kQueueFull,    ///< socket buffer or device queue is full
  kRefused,      ///< anything else
};

struct FailedSend {
  std::size_t index;  ///< into the batch given to send()
  SendFailure reason;
  std::uint32_t mtu = 0;  ///< kTooBig: the largest IP packet that the way takes, in bytes; 0: not known
};

/// What a router said about a datagram that was sent earlier (ICMP "fragmentation needed", "packet too big").
struct PathReport {
  IpAddr remote;             ///< where that datagram was going
  Port port;                 ///< and to which port
  std::uint64_t header = 0;  ///< its first eight bytes, the VXLAN header
  std::uint32_t mtu = 0;     ///< bytes of IP packet
};

/// Not thread-safe; belongs to one thread.
class UnderlaySender {
 public:
  virtual ~UnderlaySender() = default;

  /// Sends every datagram it can, in order within one flow (same source port). What could not be sent is
  /// appended to `failures` and never tried again. Payload bytes may be reused when it returns.
  virtual void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) = 0;

  /// Appends what routers have said since the last call. Only answers to datagrams of ours: whoever did not
  /// see one cannot make one up.
  virtual void take_reports(std::vector<PathReport>& reports) { (void)reports; }
  /// What to wait on for take_reports(); -1: there never are any.
  virtual int report_fd() const { return -1; }
};

}  // namespace vtep
