#include "wire/nd.h"

#include <cassert>

#include "wire/checksum.h"
#include "wire/ip_protocol.h"
#include "wire/multicast.h"

namespace vtep {
namespace {

// Offsets from the start of the ICMPv6 message.
constexpr std::size_t kFixed = 4;  // flags, or what a router advertises
constexpr std::size_t kTarget = 8;
constexpr std::size_t kReachableTime = 8;
constexpr std::size_t kRetransTimer = 12;
constexpr std::size_t kSolicitationSize = 8;
constexpr std::size_t kAdvertisementSize = 16;
constexpr std::size_t kNeighborSize = 24;

constexpr std::uint8_t kSourceOption = 1;
constexpr std::uint8_t kTargetOption = 2;
constexpr std::size_t kOptionUnit = 8;
constexpr std::size_t kMacOptionSize = 8;

constexpr std::uint8_t kRouter = 0x80;
constexpr std::uint8_t kSolicited = 0x40;
constexpr std::uint8_t kOverride = 0x20;
constexpr std::uint8_t kManaged = 0x80;
constexpr std::uint8_t kOther = 0x40;

constexpr std::uint8_t kHopLimit = 255;

std::size_t option_size(const std::optional<MacAddr>& mac) {
  return mac ? kMacOptionSize : 0;
}

struct Options {
  std::optional<MacAddr> mac;
};

/// Looks for the first link-layer address of type `wanted`. Empty if an option is malformed.
std::optional<Options> parse_options(ByteView options, std::uint8_t wanted) {
  Options found;
  while (!options.empty()) {
    if (options.size() < kOptionUnit) return std::nullopt;
    const std::size_t length = options[1] * kOptionUnit;
    if (length == 0 || length > options.size()) return std::nullopt;
    if (options[0] == wanted && length == kMacOptionSize && !found.mac) {
      found.mac = MacAddr::load(options.data() + 2);
    }
    options = options.subspan(length);
  }
  return found;
}

/// The bytes behind ICMPv6 type, code and checksum, from the fixed part on; empty if the message is of
/// another type, has a code, or is too short.
ByteView body_of(const Icmpv6View& message, std::uint8_t type, std::size_t fixed_size) {
  if (message.type() != type || message.code() != 0 || message.size() < fixed_size) return {};
  return message.body();
}

ByteView options_of(ByteView body, std::size_t fixed_size) {
  return body.subspan(fixed_size - kFixed);
}

void emit_option(std::uint8_t* p, std::uint8_t type, const std::optional<MacAddr>& mac) {
  if (!mac) return;
  p[0] = type;
  p[1] = kMacOptionSize / kOptionUnit;
  mac->store(p + 2);
}

/// The fixed part of the two messages about a neighbour.
void emit_target(ByteSpan message, std::uint8_t flags, const Ipv6& target) {
  assert(!target.is_multicast());
  store_be32(message.data() + kFixed, std::uint32_t{flags} << 24);
  target.store(message.data() + kTarget);
}

}  // namespace

std::optional<RouterSolicitation> RouterSolicitation::parse(const Icmpv6View& message) {
  const ByteView body = body_of(message, icmpv6_type::kRouterSolicitation, kSolicitationSize);
  if (body.empty()) return std::nullopt;
  const auto options = parse_options(options_of(body, kSolicitationSize), kSourceOption);
  if (!options) return std::nullopt;
  return RouterSolicitation{options->mac};
}

std::size_t RouterSolicitation::size() const {
  return kSolicitationSize + option_size(source_mac);
}

void RouterSolicitation::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size());
  store_be32(message.data() + kFixed, 0);
  emit_option(message.data() + kSolicitationSize, kSourceOption, source_mac);
  Icmpv6Header{icmpv6_type::kRouterSolicitation, 0}.emit(message, pseudo_sum);
}

std::optional<RouterAdvertisement> RouterAdvertisement::parse(const Icmpv6View& message) {
  const ByteView body = body_of(message, icmpv6_type::kRouterAdvertisement, kAdvertisementSize);
  if (body.empty()) return std::nullopt;
  const auto options = parse_options(options_of(body, kAdvertisementSize), kSourceOption);
  if (!options) return std::nullopt;
  return RouterAdvertisement{
      .hop_limit = body[0],
      .managed = (body[1] & kManaged) != 0,
      .other = (body[1] & kOther) != 0,
      .router_lifetime = load_be16(body.data() + 2),
      .reachable_time = load_be32(body.data() + kReachableTime - kFixed),
      .retrans_timer = load_be32(body.data() + kRetransTimer - kFixed),
      .source_mac = options->mac,
  };
}

std::size_t RouterAdvertisement::size() const {
  return kAdvertisementSize + option_size(source_mac);
}

void RouterAdvertisement::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size());
  std::uint8_t* const p = message.data();
  p[kFixed] = hop_limit;
  p[kFixed + 1] = static_cast<std::uint8_t>((managed ? kManaged : 0) | (other ? kOther : 0));
  store_be16(p + kFixed + 2, router_lifetime);
  store_be32(p + kReachableTime, reachable_time);
  store_be32(p + kRetransTimer, retrans_timer);
  emit_option(p + kAdvertisementSize, kSourceOption, source_mac);
  Icmpv6Header{icmpv6_type::kRouterAdvertisement, 0}.emit(message, pseudo_sum);
}

std::optional<NeighborSolicitation> NeighborSolicitation::parse(const Icmpv6View& message) {
  const ByteView body = body_of(message, icmpv6_type::kNeighborSolicitation, kNeighborSize);
  if (body.empty()) return std::nullopt;
  const Ipv6 target = Ipv6::load(body.data() + kTarget - kFixed);
  const auto options = parse_options(options_of(body, kNeighborSize), kSourceOption);
  if (!options || target.is_multicast()) return std::nullopt;
  return NeighborSolicitation{target, options->mac};
}

std::size_t NeighborSolicitation::size() const {
  return kNeighborSize + option_size(source_mac);
}

void NeighborSolicitation::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size());
  emit_target(message, 0, target);
  emit_option(message.data() + kNeighborSize, kSourceOption, source_mac);
  Icmpv6Header{icmpv6_type::kNeighborSolicitation, 0}.emit(message, pseudo_sum);
}

std::optional<NeighborAdvertisement> NeighborAdvertisement::parse(const Icmpv6View& message) {
  const ByteView body = body_of(message, icmpv6_type::kNeighborAdvertisement, kNeighborSize);
  if (body.empty()) return std::nullopt;
  const Ipv6 target = Ipv6::load(body.data() + kTarget - kFixed);
  const auto options = parse_options(options_of(body, kNeighborSize), kTargetOption);
  if (!options || target.is_multicast()) return std::nullopt;
  return NeighborAdvertisement{
      .target = target,
      .router = (body[0] & kRouter) != 0,
      .solicited = (body[0] & kSolicited) != 0,
      .override_cache = (body[0] & kOverride) != 0,
      .target_mac = options->mac,
  };
}

std::size_t NeighborAdvertisement::size() const {
  return kNeighborSize + option_size(target_mac);
}

void NeighborAdvertisement::emit(ByteSpan message, std::uint64_t pseudo_sum) const {
  assert(message.size() == size());
  const auto flags = static_cast<std::uint8_t>((router ? kRouter : 0) | (solicited ? kSolicited : 0) |
                                               (override_cache ? kOverride : 0));
  emit_target(message, flags, target);
  emit_option(message.data() + kNeighborSize, kTargetOption, target_mac);
  Icmpv6Header{icmpv6_type::kNeighborAdvertisement, 0}.emit(message, pseudo_sum);
}

bool is_valid_nd(const Ipv6View& packet, const Icmpv6View& message) {
  if (packet.hop_limit() != kHopLimit) return false;
  const Ipv6 source = packet.source();
  const Ipv6 destination = packet.destination();
  const auto length = static_cast<std::uint32_t>(message.size());
  if (!message.is_checksum_right(pseudo_header_sum(source, destination, kProtocolIcmpv6, length)))
    return false;

  if (const auto solicitation = RouterSolicitation::parse(message)) {
    return !source.is_unspecified() || !solicitation->source_mac;
  }
  if (RouterAdvertisement::parse(message)) return source.is_link_local();
  if (const auto solicitation = NeighborSolicitation::parse(message)) {
    if (!source.is_unspecified()) return true;
    return !solicitation->source_mac && destination == solicited_node_group(solicitation->target);
  }
  if (const auto advertisement = NeighborAdvertisement::parse(message)) {
    return !destination.is_multicast() || !advertisement->solicited;
  }
  return false;
}

}  // namespace vtep
