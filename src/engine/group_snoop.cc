#include "engine/group_snoop.h"

#include <optional>

#include "wire/checksum.h"
#include "wire/icmpv6.h"
#include "wire/igmp.h"
#include "wire/ip_protocol.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/mld.h"

namespace vtep {
namespace {

constexpr std::uint8_t kProtocolPim = 103;
constexpr Ipv4 kAllPimRouters(224, 0, 0, 13);
constexpr Ipv6 kAllPimRouters6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d});

/// The bytes of the IP datagram. Precondition: `layers` says that there is one.
ByteView datagram_of(ByteView frame, const Layers& layers) {
  return frame.first(layers.end).subspan(layers.l3);
}

/// Whole seconds, rounded up.
constexpr Seconds seconds(std::uint32_t time, std::uint32_t units) {
  return time / units + (time % units != 0 ? 1 : 0);
}

/// Applies messages to one link, on behalf of one VTEP.
class Applier {
 public:
  Applier(Mdb& mdb, LinkId link, const IpAddr& vtep, Seconds now)
      : mdb_(mdb), link_(link), vtep_(vtep), now_(now) {}

  bool is_local() const { return vtep_.is_unspecified(); }
  std::uint32_t refused() const { return refused_; }

  template <typename Query>
  void query(GroupProtocol protocol, const Query& query, bool from_router, std::uint32_t units,
             bool states_times) {
    const Seconds max_response = seconds(query.max_response, units);
    if (!query.group.is_unspecified()) return mdb_.group_query(link_, protocol, max_response);
    GeneralQuery general{
        .protocol = protocol, .vtep = vtep_, .from_router = from_router, .max_response = max_response};
    if (states_times) {
      general.interval = query.interval;
      general.robustness = query.robustness;
    }
    count(mdb_.query(link_, general, now_));
  }
  void router(GroupProtocol protocol) { count(mdb_.router(link_, protocol, vtep_, now_)); }
  Mdb::Joined join(const IpAddr& group, const IpAddr& source) {
    const Mdb::Joined joined = mdb_.join(link_, group, source, vtep_, now_);
    count(joined);
    return joined;
  }
  void leave(const IpAddr& group, const IpAddr& source) { mdb_.leave(link_, group, source, vtep_, now_); }

  /// RFC 3376 section 5.1 (RFC 3810 section 6.1): what the types of records stand for. False if one is
  /// malformed; then none is applied.
  template <typename Address>
  bool report(GroupRecordCursor<Address> records) {
    auto ahead = records;
    while (ahead.next()) {
    }
    if (ahead.is_malformed()) return false;
    while (const auto record = records.next()) {
      if (const auto type = record->type()) apply(*type, record->group(), record->sources());
    }
    return true;
  }

 private:
  template <typename Address>
  void apply(RecordType type, const Address& group, SourceList<Address> sources) {
    switch (type) {
      case RecordType::kIsExclude:
      case RecordType::kToExclude:
        join(group, {});
        return;
      case RecordType::kToInclude:
        // All others are left; those that are named come back at once.
        leave(group, {});
        [[fallthrough]];
      case RecordType::kIsInclude:
      case RecordType::kAllow:
        for (std::size_t i = 0; i < sources.size(); ++i) {
          // Once the VTEP gets the group from all sources, the others need not be named.
          if (!sources[i].is_unspecified() && join(group, sources[i]) == Mdb::Joined::kWidened) return;
        }
        return;
      case RecordType::kBlock:
        for (std::size_t i = 0; i < sources.size(); ++i) {
          if (!sources[i].is_unspecified()) leave(group, sources[i]);
        }
        return;
    }
  }
  void count(Mdb::Joined joined) { refused_ += joined == Mdb::Joined::kRefused ? 1 : 0; }

  Mdb& mdb_;
  LinkId link_;
  const IpAddr& vtep_;
  Seconds now_;
  std::uint32_t refused_ = 0;
};

/// False if the message is of no use.
bool apply(Applier& applier, const Ipv4View& packet, const IgmpView& message) {
  if (!is_valid_igmp(packet, message)) return false;
  if (const auto query = IgmpQuery::parse(message)) {
    applier.query(GroupProtocol::kIgmp, *query, !packet.source().is_unspecified(), 10, query->version == 3);
    return true;
  }
  if (message.type() == igmp_type::kReportV3) return applier.is_local() || applier.report(message.records());
  if (const auto report = IgmpReport::parse(message)) {
    if (!applier.is_local()) applier.join(report->group, {});
    return true;
  }
  if (const auto leave = IgmpLeave::parse(message)) {
    if (!applier.is_local()) applier.leave(leave->group, {});
    return true;
  }
  return false;
}

bool apply(Applier& applier, const Ipv6View& packet, const Icmpv6View& message) {
  if (!is_valid_mld(packet, message)) return false;
  if (const auto query = MldQuery::parse(message)) {
    applier.query(GroupProtocol::kMld, *query, true, 1000, query->version == 2);
    return true;
  }
  if (message.type() == mld_type::kReportV2) {
    // Without the room for a count of records it is none.
    if (message.body().size() < 4) return false;
    return applier.is_local() || applier.report(mld_records(message));
  }
  if (const auto report = MldReport::parse(message)) {
    if (!applier.is_local()) applier.join(report->group, {});
    return true;
  }
  if (const auto done = MldDone::parse(message)) {
    if (!applier.is_local()) applier.leave(done->group, {});
    return true;
  }
  return false;
}

/// RFC 7761 section 4.9: version 2, type 0.
bool is_hello(ByteView message) {
  return message.size() >= 4 && message[0] == 0x20;
}

bool is_pim_hello(const Ipv4View& packet) {
  return packet.destination() == kAllPimRouters && packet.ttl() == 1 && !packet.is_fragment() &&
         !packet.is_truncated() && packet.is_checksum_right() && is_hello(packet.payload()) &&
         internet_checksum(packet.payload()) == 0;
}

bool is_pim_hello(const Ipv6View& packet) {
  const Ipv6Upper upper = packet.upper();
  if (packet.destination() != kAllPimRouters6 || packet.hop_limit() != 1 || packet.is_truncated())
    return false;
  if (!upper.offset || upper.fragment) return false;
  const ByteView message = packet.payload().subspan(*upper.offset);
  const auto size = static_cast<std::uint32_t>(message.size());
  const std::uint64_t sum = pseudo_header_sum(packet.source(), packet.destination(), kProtocolPim, size);
  return is_hello(message) && checksum_fold(checksum_partial(message, sum)) == 0xffff;
}

}  // namespace

GroupControl group_control(ByteView frame, const Layers& layers) {
  if (layers.ip == Layers::Ip::kV4) {
    if (layers.protocol != kProtocolIgmp) return GroupControl::kNone;
    const auto packet = Ipv4View::parse(datagram_of(frame, layers));
    const bool has_type = packet && packet->fragment_offset() == 0 && !packet->payload().empty();
    const std::uint8_t type = has_type ? packet->payload()[0] : 0;
    const bool silences = type == igmp_type::kReportV1 || type == igmp_type::kReportV2;
    return silences ? GroupControl::kSilencingReport : GroupControl::kMessage;
  }
  if (layers.ip != Layers::Ip::kV6 || layers.protocol != kProtocolIcmpv6 || layers.l4 == 0)
    return GroupControl::kNone;
  const std::uint8_t type = frame[layers.l4];
  if (!is_mld_type(type)) return GroupControl::kNone;
  return type == mld_type::kReport ? GroupControl::kSilencingReport : GroupControl::kMessage;
}

Snooped snoop(Mdb& mdb, LinkId link, ByteView frame, const Layers& layers, const IpAddr& vtep, Seconds now) {
  Applier applier(mdb, link, vtep, now);
  bool valid = false;
  if (layers.ip == Layers::Ip::kV4) {
    if (layers.protocol != kProtocolIgmp && layers.protocol != kProtocolPim) return {};
    const auto packet = Ipv4View::parse(datagram_of(frame, layers));
    if (!packet) return {};
    if (layers.protocol == kProtocolPim) {
      valid = is_pim_hello(*packet);
      if (valid) applier.router(GroupProtocol::kIgmp);
    } else if (const auto message = IgmpView::parse(packet->payload())) {
      valid = apply(applier, *packet, *message);
    }
  } else if (layers.ip == Layers::Ip::kV6) {
    const bool is_mld = layers.protocol == kProtocolIcmpv6 && layers.l4 != 0 && is_mld_type(frame[layers.l4]);
    if (!is_mld && layers.protocol != kProtocolPim) return {};
    const auto packet = Ipv6View::parse(datagram_of(frame, layers));
    if (!packet) return {};
    if (!is_mld) {
      valid = is_pim_hello(*packet);
      if (valid) applier.router(GroupProtocol::kMld);
    } else if (const auto message = Icmpv6View::parse(frame.first(layers.end).subspan(layers.l4))) {
      valid = apply(applier, *packet, *message);
    }
  }
  return {.valid = valid, .refused = applier.refused()};
}

}  // namespace vtep
