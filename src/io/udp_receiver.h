// One UDP socket per VXLAN port and family, shared by all VNIs on that port; recvmmsg, and UDP_GRO where the
// kernel has it: what it has merged of one flow comes by one message and is taken apart here, in place.
//
// It hears every multicast group that anybody on this host has joined (IP_MULTICAST_ALL), so memberships can
// live on sockets of their own (memberships.h). Neither SO_REUSEADDR nor SO_REUSEPORT is set: a second holder
// of the port is an error and not a thief of datagrams.
//
// Several workers share a port by a group of sockets (SO_REUSEPORT): the kernel keeps a flow, which here
// means an outer 4-tuple, on one of them. A datagram to a multicast group or a broadcast address would reach
// them all, so only the first hears those. (Early demultiplexing finds the first, too, and may then spread
// the flows over all of them, as Linux 6.18 does with IPv4: it is once in any case.) The first is bound
// before it lets others in: whoever holds the port already, a group or not, makes it fail. Afterwards only a
// program of the same user that sets SO_REUSEPORT as well can join the group; vtepd does not, since it tries
// alone first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/port.h"
#include "io/underlay.h"

namespace vtep {

struct ReceiverOptions {
  bool zero_checksum6 = false;   ///< see UdpReceiver::accept_zero_checksum6()
  bool receive_segments = true;  ///< UDP_GRO, if the kernel has it
  /// Whether a message, which the kernel says is to be cut at every `segment` bytes, is one datagram all the
  /// same, in which a tunnelled super-frame is to be cut so: that is how it hands over what a tunnel on the
  /// same host sends. Such a packet gets Segmentation::kUdp and that size. Null: there are none. Called once
  /// a message.
  bool (*is_super_frame)(ByteView message, std::size_t segment) = nullptr;
};

class UdpReceiver final : public UnderlayReceiver {
 public:
  enum class Family { kV4, kV6 };

  /// Room for a burst, in bytes, that is asked for each socket.
  static constexpr std::size_t kReceiveBuffer = 4 << 20;

  /// Binds to `port` on all addresses of one family; both families may hold one port. kInUse: somebody holds
  /// the port; the message names who (see port_holder.h) and what to do. kUnavailable: this host, or this
  /// network namespace, has no IPv6.
  static Result<std::unique_ptr<UdpReceiver>> open(Family family, Port port,
                                                   const ReceiverOptions& options = {});
  /// One for each of `workers`, at least one, which share the port. Fails as open(), as a whole.
  static Result<std::vector<std::unique_ptr<UdpReceiver>>> open_group(Family family, Port port,
                                                                      std::size_t workers,
                                                                      const ReceiverOptions& options = {});
  ~UdpReceiver() override;
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;

  /// Whether IPv6 datagrams without a UDP checksum are received (RFC 6935, RFC 7348 section 5) or dropped by
  /// the kernel (RFC 8200 section 8.1). Without effect on IPv4, where they always are received.
  Result<void> accept_zero_checksum6(bool accept) override;

  /// Of large messages fewer at once than the batch has room for: what is dealt with before more is received
  /// is still in the processor's cache. A datagram larger than its buffer is delivered as an empty packet, so
  /// that whoever counts runts counts it; so are datagrams that came together and are larger than it in all.
  Result<std::size_t> receive(PacketBatch& batch) override;
  /// By the kernel's count, which includes datagrams whose outer checksum was wrong.
  std::uint64_t overflows() const override;
  int fd() const override { return fd_; }

  /// Bytes of room that the kernel gave. Less than kReceiveBuffer costs datagrams in bursts.
  std::size_t receive_buffer() const;
  /// Empty, or a sentence that says that there is less room than there should be, and what to do.
  std::string receive_buffer_trouble() const;

 private:
  struct Scratch;
  UdpReceiver(Family family, int fd);
  Result<void> set_up(const ReceiverOptions& options);

  const Family family_;
  const int fd_;
  bool (*is_super_frame_)(ByteView message, std::size_t segment) = nullptr;
  std::unique_ptr<Scratch> scratch_;  // msghdr arrays, built once
  std::size_t message_size_ = 0;      // of late, in bytes
  mutable std::uint64_t overflows_ =
      0;  // the kernel's count has 32 bits; this one's lower half is what it was
};

}  // namespace vtep
