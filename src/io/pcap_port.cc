#include "io/pcap_port.h"

#include <array>
#include <utility>

#include "io/all_bytes.h"
#include "io/outer_frame.h"

namespace vtep {
namespace {

constexpr std::uint8_t kDefaultTtl = 64;
constexpr std::uint8_t kDefaultGroupTtl = 1;

/// `address` if it is of the family of `other`, else that family's unspecified one.
IpAddr of_family(const IpAddr& address, const IpAddr& other) {
  if (address.is_v4() == other.is_v4()) return address;
  return other.is_v4() ? IpAddr(Ipv4()) : IpAddr(Ipv6());
}

std::uint8_t ttl_of(const Route& route) {
  if (route.ttl != 0) return route.ttl;
  return route.remote.is_multicast() ? kDefaultGroupTtl : kDefaultTtl;
}

}  // namespace

PcapFramePort::PcapFramePort(std::unique_ptr<FramePort> port, std::shared_ptr<PcapFile> file)
    : port_(std::move(port)), file_(std::move(file)) {}

Result<std::size_t> PcapFramePort::read(PacketBatch& batch) {
  const std::size_t first = batch.size();
  auto count = port_->read(batch);
  for (const Packet& packet : batch.packets().subspan(first)) file_->write(packet.view());
  return count;
}

WriteReport PcapFramePort::write(std::span<Packet> frames) {
  for (const Packet& frame : frames) file_->write(all_bytes(frame));
  return port_->write(frames);
}

PcapUnderlayReceiver::PcapUnderlayReceiver(std::unique_ptr<UnderlayReceiver> receiver,
                                           std::shared_ptr<PcapFile> file, IpAddr local, Port port)
    : receiver_(std::move(receiver)), file_(std::move(file)), local_(local), port_(port) {}

Result<std::size_t> PcapUnderlayReceiver::receive(PacketBatch& batch) {
  const std::size_t first = batch.size();
  auto count = receiver_->receive(batch);
  for (const Packet& packet : batch.packets().subspan(first)) {
    const std::array payload = {packet.view()};
    file_->write(make_outer_frame({.source = packet.outer_source,
                                   .destination = of_family(local_, packet.outer_source),
                                   .source_port = packet.outer_source_port,
                                   .destination_port = port_,
                                   .ttl = kDefaultTtl,
                                   .tos = packet.outer_tos},
                                  payload));
  }
  return count;
}

PcapUnderlaySender::PcapUnderlaySender(std::unique_ptr<UnderlaySender> sender, std::shared_ptr<PcapFile> file,
                                       IpAddr local)
    : sender_(std::move(sender)), file_(std::move(file)), local_(local) {}

void PcapUnderlaySender::send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) {
  const std::size_t before = failures.size();
  sender_->send(batch, failures);
  failed_.assign(batch.size(), false);
  for (std::size_t i = before; i < failures.size(); ++i) failed_[failures[i].index] = true;

  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (failed_[i]) continue;
    const Route& route = batch[i].route;
    const IpAddr& local = route.local.is_unspecified() ? local_ : route.local;
    const std::array payload = {ByteView(batch[i].header), batch[i].prefix, batch[i].frame};
    file_->write(make_outer_frame({.source = of_family(local, route.remote),
                                   .destination = route.remote,
                                   .source_port = route.source_port,
                                   .destination_port = route.destination_port,
                                   .ttl = ttl_of(route),
                                   .tos = route.tos,
                                   .dont_fragment = route.dont_fragment,
                                   .flow_label = route.flow_label},
                                  payload));
  }
}

}  // namespace vtep
