#include "io/fault_port.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>

#include "io/all_bytes.h"

namespace vtep {
namespace {

/// Frames moved at a time; the batch at hand may be larger.
constexpr std::size_t kScratch = 32;

/// An empty packet if the bytes do not fit.
Packet& append(PacketBatch& batch, ByteView bytes) {
  Packet& packet = batch.next();
  if (bytes.size() <= packet.room()) {
    std::ranges::copy(bytes, packet.data());
    packet.set_size(bytes.size());
  }
  batch.commit();
  return packet;
}

/// Fills `batch` from `waiting`, and `waiting` from `refill`, until one is full or the other has nothing.
/// `refill` answers like FramePort::read, `deliver` puts one item into the batch.
template <typename Waiting, typename Refill, typename Deliver>
Result<std::size_t> fill(PacketBatch& batch, Waiting& waiting, const Refill& refill, const Deliver& deliver) {
  std::size_t count = 0;
  while (!batch.full()) {
    if (waiting.empty()) {
      const Result<std::size_t> got = refill();
      if (!got && count == 0) return got;
      if (!got || *got == 0) break;
      continue;  // all of it may have been dropped
    }
    deliver(waiting.front());
    waiting.pop_front();
    ++count;
  }
  return count;
}

}  // namespace

FaultFramePort::FaultFramePort(std::unique_ptr<FramePort> port, const FaultPlan& plan)
    : port_(std::move(port)), in_(plan), out_(plan), scratch_(kScratch) {}
FaultFramePort::~FaultFramePort() = default;

Result<std::size_t> FaultFramePort::read(PacketBatch& batch) {
  const auto refill = [this]() -> Result<std::size_t> {
    scratch_.clear();
    const auto got = port_->read(scratch_);
    std::vector<FaultStream<Meta>::Item> items;
    for (const Packet& packet : scratch_.packets()) in_.pass({all_bytes(packet), {packet.offload}}, items);
    std::ranges::move(items, std::back_inserter(waiting_));
    return got;
  };
  return fill(batch, waiting_, refill, [&batch](const FaultStream<Meta>::Item& item) {
    append(batch, item.bytes).offload = item.meta.offload;
  });
}

WriteReport FaultFramePort::write(std::span<Packet> frames) {
  WriteReport report;
  std::vector<FaultStream<Meta>::Item> items;
  for (const Packet& frame : frames) {
    if (frame.rest.size() > kMaxRest) {
      ++report.refused;
    } else {
      out_.pass({all_bytes(frame), {frame.offload}}, items);
    }
  }

  for (std::span rest(items); !rest.empty();) {
    scratch_.clear();
    const std::size_t count = std::min(rest.size(), scratch_.capacity());
    for (const auto& item : rest.first(count)) append(scratch_, item.bytes).offload = item.meta.offload;
    rest = rest.subspan(count);
    const WriteReport part = port_->write(scratch_.packets());
    report.interface_down += part.interface_down;
    report.queue_full += part.queue_full;
    report.refused += part.refused;
  }
  // The caller knows of its own frames only: what was added or lost on the way stays our secret.
  report.interface_down = std::min(report.interface_down, frames.size());
  report.queue_full = std::min(report.queue_full, frames.size() - report.interface_down);
  report.refused = std::min(report.refused, frames.size() - report.interface_down - report.queue_full);
  report.written = frames.size() - report.interface_down - report.queue_full - report.refused;
  return report;
}

FaultUnderlayReceiver::FaultUnderlayReceiver(std::unique_ptr<UnderlayReceiver> receiver,
                                             const FaultPlan& plan)
    : receiver_(std::move(receiver)), stream_(plan), scratch_(kScratch) {}
FaultUnderlayReceiver::~FaultUnderlayReceiver() = default;

Result<std::size_t> FaultUnderlayReceiver::receive(PacketBatch& batch) {
  const auto refill = [this]() -> Result<std::size_t> {
    scratch_.clear();
    const auto got = receiver_->receive(scratch_);
    std::vector<FaultStream<Meta>::Item> items;
    for (const Packet& packet : scratch_.packets()) {
      stream_.pass({all_bytes(packet), {packet.outer_source, packet.outer_source_port, packet.outer_tos}},
                   items);
    }
    std::ranges::move(items, std::back_inserter(waiting_));
    return got;
  };
  return fill(batch, waiting_, refill, [&batch](const FaultStream<Meta>::Item& item) {
    Packet& packet = append(batch, item.bytes);
    packet.outer_source = item.meta.source;
    packet.outer_source_port = item.meta.source_port;
    packet.outer_tos = item.meta.tos;
  });
}

FaultUnderlaySender::FaultUnderlaySender(std::unique_ptr<UnderlaySender> sender, const FaultPlan& plan)
    : sender_(std::move(sender)), stream_(plan) {}
FaultUnderlaySender::~FaultUnderlaySender() = default;

void FaultUnderlaySender::send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  ++batch_number_;
  std::vector<FaultStream<Meta>::Item> items;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Datagram& datagram = batch[i];
    stream_.pass({all_bytes(datagram), {datagram.route, datagram.tag, batch_number_, i}}, items);
  }

  std::vector<Datagram> bad_batch;
  bad_batch.reserve(items.size());
  for (const auto& item : items) {
    Datagram& datagram = bad_batch.emplace_back();
    std::copy_n(item.bytes.begin(), Datagram::kHeaderSize, datagram.header.begin());
    datagram.frame = ByteView(item.bytes).subspan(Datagram::kHeaderSize);
    datagram.route = item.meta.route;
    datagram.tag = item.meta.tag;
  }
  std::vector<FailedSend> bad_failures;
  sender_->send(bad_batch, bad_failures);

  // In terms of the caller's batch: each datagram once, and none of an earlier batch.
  std::set<std::size_t> reported;
  for (const FailedSend& failure : bad_failures) {
    const Meta& meta = items[failure.index].meta;
    if (meta.batch != batch_number_ || !reported.insert(meta.index).second) continue;
    failures.push_back({meta.index, failure.reason, failure.mtu});
  }
}

}  // namespace vtep
