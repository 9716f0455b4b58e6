#include "io/bridge_message.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

#include <cstring>

#include "io/netlink_attributes.h"

namespace vtep {
namespace {

/// The kernel's clock_t towards userspace: hundredths of a second (USER_HZ).
constexpr std::uint32_t kUserHz = 100;

BridgeEntry::State to_state(std::uint16_t state) {
  if ((state & NUD_PERMANENT) != 0) return BridgeEntry::State::kPermanent;
  return (state & NUD_NOARP) != 0 ? BridgeEntry::State::kStatic : BridgeEntry::State::kDynamic;
}

/// The family is the address's size: the message's own is the bridge's.
std::optional<IpAddr> read_remote(const NetlinkAttribute& attribute) {
  return attribute.ip(attribute.payload.size() == Ipv4::kSize ? AF_INET : AF_INET6);
}

/// False: it makes no sense.
bool read(const NetlinkAttribute& attribute, BridgeEntry& entry) {
  switch (attribute.type) {
    case NDA_LLADDR:
      if (attribute.payload.size() != MacAddr::kSize) return false;
      entry.mac = MacAddr::load(attribute.payload.data());
      return true;
    case NDA_DST: {
      const auto remote = read_remote(attribute);
      entry.remote = remote.value_or(IpAddr());
      return remote.has_value();
    }
    case NDA_PORT:
      if (attribute.payload.size() != 2) return false;
      entry.port = Port(load_be16(attribute.payload.data()));
      return true;
    case NDA_VNI:
      entry.vni = Vni::from(attribute.number<std::uint32_t>().value_or(~std::uint32_t{0}));
      return entry.vni.has_value();
    case NDA_IFINDEX:
      entry.via = IfIndex(attribute.number<std::uint32_t>().value_or(0));
      return true;
    case NDA_MASTER:
      entry.bridge = IfIndex(attribute.number<std::uint32_t>().value_or(0));
      return true;
    case NDA_NH_ID:
      entry.nexthop = attribute.number<std::uint32_t>().value_or(0);
      return true;
    case NDA_CACHEINFO: {
      nda_cacheinfo info{};
      if (attribute.payload.size() < sizeof(info)) return false;
      std::memcpy(&info, attribute.payload.data(), sizeof(info));
      entry.used = info.ndm_used / kUserHz;
      entry.updated = info.ndm_updated / kUserHz;
      return true;
    }
    default:
      return true;
  }
}

}  // namespace

std::optional<BridgeEntry> parse_bridge_entry(ByteView payload) {
  ndmsg header{};
  if (payload.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof(header));
  if (header.ndm_family != AF_BRIDGE || header.ndm_ifindex <= 0) return std::nullopt;
  BridgeEntry entry;
  entry.device = IfIndex(static_cast<std::uint32_t>(header.ndm_ifindex));
  entry.state = to_state(header.ndm_state);
  entry.extern_learn = (header.ndm_flags & NTF_EXT_LEARNED) != 0;
  entry.router = (header.ndm_flags & NTF_ROUTER) != 0;
  bool has_mac = false;
  NetlinkAttributes attributes(payload.subspan(sizeof(header)));
  while (const auto attribute = attributes.next()) {
    if (!read(*attribute, entry)) return std::nullopt;
    has_mac = has_mac || attribute->type == NDA_LLADDR;
  }
  if (attributes.damaged() || !has_mac) return std::nullopt;
  return entry;
}

}  // namespace vtep
