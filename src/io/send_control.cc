#include "io/send_control.h"

#include <linux/udp.h>

#include <cstring>

#include "io/socket_address.h"

namespace vtep {
namespace {

/// Writes control messages one behind the other.
class ControlWriter {
 public:
  ControlWriter(msghdr& header, std::uint8_t* buffer) : header_(header), buffer_(buffer) {
    header_.msg_control = nullptr;
    header_.msg_controllen = 0;
  }
  template <typename T>
  void add(int level, int type, const T& value) {
    cmsghdr control{};
    control.cmsg_len = CMSG_LEN(sizeof(T));
    control.cmsg_level = level;
    control.cmsg_type = type;
    std::uint8_t* const place = buffer_ + header_.msg_controllen;
    std::memcpy(place, &control, sizeof(control));
    std::memcpy(place + CMSG_LEN(0), &value, sizeof(value));
    header_.msg_controllen += CMSG_SPACE(sizeof(T));
    header_.msg_control = buffer_;
  }

 private:
  msghdr& header_;
  std::uint8_t* const buffer_;
};

}  // namespace

void store_control(const Route& route, std::size_t segment_size, SendControl& control, msghdr& header) {
  ControlWriter writer(header, control.bytes);
  if (segment_size != 0) writer.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment_size));
  const bool pinned = !route.local.is_unspecified() || route.device.is_set();
  if (route.remote.is_v4()) {
    if (pinned) {
      in_pktinfo info{};
      info.ipi_ifindex = static_cast<int>(route.device.value());
      if (!route.local.is_unspecified()) info.ipi_spec_dst = to_in_addr(route.local.v4());
      writer.add(IPPROTO_IP, IP_PKTINFO, info);
    }
    if (route.ttl != 0) writer.add(IPPROTO_IP, IP_TTL, int{route.ttl});
    if (route.tos != 0) writer.add(IPPROTO_IP, IP_TOS, int{route.tos});
    return;
  }
  if (pinned) {
    in6_pktinfo info{};
    info.ipi6_ifindex = route.device.value();
    if (!route.local.is_unspecified()) info.ipi6_addr = to_in6_addr(route.local.v6());
    writer.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (route.ttl != 0) writer.add(IPPROTO_IPV6, IPV6_HOPLIMIT, int{route.ttl});
  if (route.tos != 0) writer.add(IPPROTO_IPV6, IPV6_TCLASS, int{route.tos});
}

}  // namespace vtep
