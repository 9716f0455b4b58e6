// Decorators that drop, duplicate, reorder, corrupt and truncate what passes (fault_stream.h).
//
// Thread safety: as what they decorate.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/datagram.h"
#include "base/offload.h"
#include "io/fault_stream.h"
#include "io/frame_port.h"
#include "io/underlay.h"

namespace vtep {

/// Both directions, each with dice of its own. A frame that was cut loses its offload. Dropped frames count
/// as written. fd() is the decorated port's: duplicates that do not fit a batch wait for the next read().
class FaultFramePort final : public FramePort {
 public:
  FaultFramePort(std::unique_ptr<FramePort> port, const FaultPlan& plan);
  ~FaultFramePort() override;

  Result<std::size_t> read(PacketBatch& batch) override;
  WriteReport write(std::span<Packet> frames) override;
  bool takes_udp_segments() const override { return port_->takes_udp_segments(); }
  int fd() const override { return port_->fd(); }

 private:
  struct Meta {
    static constexpr std::size_t kKeep = 0;
    Offload offload;
    void on_truncated() { offload = {}; }
  };

  const std::unique_ptr<FramePort> port_;
  FaultStream<Meta> in_;
  FaultStream<Meta> out_;
  PacketBatch scratch_;
  std::deque<FaultStream<Meta>::Item> waiting_;
};

/// Duplicates that do not fit a batch wait for the next receive().
class FaultUnderlayReceiver final : public UnderlayReceiver {
 public:
  FaultUnderlayReceiver(std::unique_ptr<UnderlayReceiver> receiver, const FaultPlan& plan);
  ~FaultUnderlayReceiver() override;

  Result<std::size_t> receive(PacketBatch& batch) override;
  Result<void> accept_zero_checksum6(bool accept) override {
    return receiver_->accept_zero_checksum6(accept);
  }
  std::uint64_t overflows() const override { return receiver_->overflows(); }
  int fd() const override { return receiver_->fd(); }

 private:
  struct Meta {
    static constexpr std::size_t kKeep = 0;
    IpAddr source;
    Port source_port;
    std::uint8_t tos;
    void on_truncated() {}
  };

  const std::unique_ptr<UnderlayReceiver> receiver_;
  FaultStream<Meta> stream_;
  PacketBatch scratch_;
  std::deque<FaultStream<Meta>::Item> waiting_;
};

/// A datagram that was dropped counts as sent. One that was held back over the end of its batch fails
/// silently. Cuts leave the VXLAN header whole; FaultUnderlayReceiver cuts that, too.
class FaultUnderlaySender final : public UnderlaySender {
 public:
  FaultUnderlaySender(std::unique_ptr<UnderlaySender> sender, const FaultPlan& plan);
  ~FaultUnderlaySender() override;

  void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) override;
  void take_reports(std::vector<PathReport>& reports) override { sender_->take_reports(reports); }
  int report_fd() const override { return sender_->report_fd(); }

 private:
  struct Meta {
    static constexpr std::size_t kKeep = Datagram::kHeaderSize;
    Route route;
    std::uint32_t tag;
    std::uint64_t batch;
    std::size_t index;
    void on_truncated() {}
  };

  const std::unique_ptr<UnderlaySender> sender_;
  FaultStream<Meta> stream_;
  std::uint64_t batch_number_ = 0;
};

}  // namespace vtep
