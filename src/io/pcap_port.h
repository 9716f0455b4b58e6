// Decorators that write whatever passes into a capture file, and change nothing.
//
// Several may share a file; it then holds what passed in the order in which it passed. Datagrams get the
// outer headers that sockets hide (outer_frame.h), so tcpdump decodes the VXLAN in them. Thread safety: as
// what they decorate; all that share a file belong to one thread.
#pragma once

#include <memory>
#include <vector>

#include "base/ip.h"
#include "base/port.h"
#include "io/frame_port.h"
#include "io/pcap_file.h"
#include "io/underlay.h"

namespace vtep {

/// Both directions. A frame is written as it is handed over: with an unfinished checksum, and whether or not
/// the port takes it.
class PcapFramePort final : public FramePort {
 public:
  PcapFramePort(std::unique_ptr<FramePort> port, std::shared_ptr<PcapFile> file);

  Result<std::size_t> read(PacketBatch& batch) override;
  WriteReport write(std::span<Packet> frames) override;
  bool takes_udp_segments() const override { return port_->takes_udp_segments(); }
  int fd() const override { return port_->fd(); }

 private:
  const std::unique_ptr<FramePort> port_;
  const std::shared_ptr<PcapFile> file_;
};

class PcapUnderlayReceiver final : public UnderlayReceiver {
 public:
  /// `local` and `port` stand as the destination, which a datagram does not tell. An address of the other
  /// family than a datagram's source is not used.
  PcapUnderlayReceiver(std::unique_ptr<UnderlayReceiver> receiver, std::shared_ptr<PcapFile> file,
                       IpAddr local, Port port);

  Result<std::size_t> receive(PacketBatch& batch) override;
  Result<void> accept_zero_checksum6(bool accept) override {
    return receiver_->accept_zero_checksum6(accept);
  }
  std::uint64_t overflows() const override { return receiver_->overflows(); }
  int fd() const override { return receiver_->fd(); }

 private:
  const std::unique_ptr<UnderlayReceiver> receiver_;
  const std::shared_ptr<PcapFile> file_;
  const IpAddr local_;
  const Port port_;
};

/// Only what could be sent is written.
class PcapUnderlaySender final : public UnderlaySender {
 public:
  /// `local` stands as the source of datagrams whose route gives none.
  PcapUnderlaySender(std::unique_ptr<UnderlaySender> sender, std::shared_ptr<PcapFile> file, IpAddr local);

  void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) override;
  void take_reports(std::vector<PathReport>& reports) override { sender_->take_reports(reports); }
  int report_fd() const override { return sender_->report_fd(); }

 private:
  const std::unique_ptr<UnderlaySender> sender_;
  const std::shared_ptr<PcapFile> file_;
  const IpAddr local_;
  std::vector<bool> failed_;  // of the batch at hand
};

}  // namespace vtep
