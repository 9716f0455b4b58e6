// Sends datagrams from a pool of sockets, one per source port, with sendmmsg. One socket is one source port;
// a pool gives flows the entropy that RFC 7348 section 5 recommends, and keeps runs of one flow batchable.
//
// Sockets are opened on first use. If a wished-for source port is taken, the next free one of 49152–65535
// stands in for it from then on, so a flow keeps its port. A pool has at most 256 sockets per family: beyond
// that, or when the process may open no more files, flows share the sockets there are. The sockets never
// receive: a filter drops what is sent to them.
//
// A batch is sorted by socket, so datagrams of different source ports may overtake each other. DF and the
// checksum are properties of a socket: a run of datagrams that agree on them is one sendmmsg. A run that
// agrees on the whole route and on its size (the last may be shorter) is one message of that, which the
// kernel cuts as late as it can (UDP_SEGMENT, Linux 4.18). It does not where it cannot: datagrams without a
// checksum, and what a device or IPsec refuses, go one by one.
//
// Nothing the network claims about a path is believed here: a datagram is refused (kTooBig) when it exceeds
// the MTU of the device it would leave by, and take_reports() hands on what routers say.
#pragma once

#include <memory>

#include "io/source_ports.h"
#include "io/underlay.h"

namespace vtep {

struct SenderOptions {
  /// Given to several senders, they all use the same source ports, which other programs still cannot have. A
  /// report may then come to another of them than the one that had sent. Null: the ports are this sender's
  /// own.
  std::shared_ptr<SourcePorts> ports{};
  bool send_segments = true;  ///< UDP_SEGMENT, if the kernel has it
};

class UdpSender final : public UnderlaySender {
 public:
  explicit UdpSender(SenderOptions options = {});
  ~UdpSender() override;
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;

  void send(std::span<const Datagram> batch, std::vector<FailedSend>& failures) override;
  void take_reports(std::vector<PathReport>& reports) override;
  int report_fd() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
