#include "io/message_batch.h"

namespace vtep {
namespace {

constexpr std::uint32_t kFlowLabelMask = 0xfffff;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kMaxPacket = 65535;
constexpr std::size_t kIpv4Header = 20;

/// Bytes of UDP payload. An IPv6 header does not count in its own length (RFC 8200 section 3).
std::size_t max_payload(const IpAddr& remote) {
  return kMaxPacket - kUdpHeader - (remote.is_v4() ? kIpv4Header : 0);
}

}  // namespace

MessageBatch::MessageBatch() {
  for (std::size_t i = 0; i < kMaxMessages; ++i) messages_[i].msg_hdr.msg_name = &remotes_[i];
}

void MessageBatch::add(std::size_t index, const Datagram& datagram, bool segments) {
  const std::size_t size = datagram.size();
  if (segments && messages_count_ > 0 && continues(runs_[messages_count_ - 1], datagram)) {
    Run& run = runs_[messages_count_ - 1];
    run.open = size == run.head->size();
    run.size += size;
    ++run.count;
  } else {
    runs_[messages_count_++] = {.head = &datagram,
                                .first = datagrams_count_,
                                .count = 1,
                                .first_part = parts_count_,
                                .size = size,
                                .open = segments};
  }
  indexes_[datagrams_count_++] = index;
  add_part(datagram.header);
  add_part(datagram.prefix);
  add_part(datagram.frame);
}

bool MessageBatch::continues(const Run& run, const Datagram& datagram) const {
  return run.open && run.count < kMaxSegments && datagram.size() <= run.head->size() &&
         run.size + datagram.size() <= max_payload(datagram.route.remote) &&
         datagram.route == run.head->route;
}

void MessageBatch::add_part(ByteView bytes) {
  // sendmmsg only reads; struct iovec has no const.
  if (!bytes.empty()) parts_[parts_count_++] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

std::span<mmsghdr> MessageBatch::finish() {
  std::size_t end = parts_count_;
  for (std::size_t i = messages_count_; i-- > 0;) {
    const Run& run = runs_[i];
    const Route& route = run.head->route;
    msghdr& header = messages_[i].msg_hdr;
    header.msg_iov = &parts_[run.first_part];
    header.msg_iovlen = end - run.first_part;
    end = run.first_part;
    header.msg_namelen = store_address(route.remote, route.destination_port, remotes_[i]);
    if (route.remote.is_v6()) remotes_[i].v6.sin6_flowinfo = htonl(route.flow_label & kFlowLabelMask);
    store_control(route, run.count > 1 ? run.head->size() : 0, controls_[i], header);
  }
  return {messages_.data(), messages_count_};
}

}  // namespace vtep
