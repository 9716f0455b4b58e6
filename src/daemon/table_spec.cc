#include "daemon/table_spec.h"

#include <fmt/format.h>

#include "daemon/spec_words.h"

namespace vtep {
namespace {

Result<FdbState> parse_state(v1::FdbState state) {
  switch (state) {
    case v1::FDB_STATE_UNSPECIFIED:
    case v1::FDB_STATE_PERMANENT:
      return FdbState::kPermanent;
    case v1::FDB_STATE_STATIC:
      return FdbState::kStatic;
    case v1::FDB_STATE_DYNAMIC:
      return FdbState::kDynamic;
    default:
      return fail(ErrorKind::kInvalid, "unknown FDB state");
  }
}

v1::FdbState to_proto(FdbState state) {
  switch (state) {
    case FdbState::kPermanent:
      return v1::FDB_STATE_PERMANENT;
    case FdbState::kStatic:
      return v1::FDB_STATE_STATIC;
    case FdbState::kDynamic:
      return v1::FDB_STATE_DYNAMIC;
  }
  return v1::FDB_STATE_UNSPECIFIED;
}

/// The remote's words, shared by entries and flush filters. Empty or unset ones stay unset.
Result<RemoteFilter> parse_remote(const std::string& dst, std::uint32_t port,
                                  std::optional<std::uint32_t> vni, const std::string& via,
                                  const LinkConfig& link, const IndexOf& index_of) {
  RemoteFilter remote;
  if (!dst.empty()) {
    remote.address = IpAddr::parse(dst);
    if (!remote.address || remote.address->is_unspecified()) {
      return fail(ErrorKind::kInvalid, fmt::format("dst \"{}\" is not an IP address", dst));
    }
  }
  if (port != 0) {
    remote.port = Port::from(port);
    if (!remote.port) return fail(ErrorKind::kInvalid, fmt::format("port {} is larger than 65535", port));
    if (remote.port == link.port) remote.port = Port();
  }
  if (vni) {
    const auto parsed = parse_vni_number(*vni);
    if (!parsed) return std::unexpected(parsed.error());
    remote.vni = *parsed;
    remote.link_vni = remote.vni == link.vni;
    if (remote.link_vni) remote.vni.reset();
  }
  if (!via.empty()) {
    const auto index = index_of(via);
    if (!index) return std::unexpected(index.error());
    remote.via = *index;
  }
  return remote;
}

}  // namespace

Result<FdbRequest> parse_fdb_entry(const v1::FdbEntry& entry, const LinkConfig& link,
                                   const IndexOf& index_of) {
  const auto mac = parse_mac(entry.mac());
  if (!mac) return std::unexpected(mac.error());
  const auto state = parse_state(entry.state());
  if (!state) return std::unexpected(state.error());
  auto filter =
      parse_remote(entry.dst(), entry.port(), entry.has_vni() ? std::optional(entry.vni()) : std::nullopt,
                   entry.via(), link, index_of);
  if (!filter) return std::unexpected(filter.error());
  FdbRequest request{.mac = *mac,
                     .target = Remote{.address = filter->address.value_or(IpAddr()),
                                      .port = filter->port.value_or(Port()),
                                      .vni = filter->vni,
                                      .via = filter->via.value_or(IfIndex())},
                     .state = *state,
                     .filter = *filter,
                     .source_vni = {}};
  request.target.router = entry.router();
  if (entry.nhid() != 0) {
    if (filter->address || filter->port || filter->vni || filter->via) {
      return fail(ErrorKind::kInvalid, "a nexthop (nhid) excludes dst, port, vni and via");
    }
    request.target.group = entry.nhid();
    request.filter.group = entry.nhid();
  }
  if (entry.has_src_vni()) {
    const auto vni = parse_vni_number(entry.src_vni());
    if (!vni) return std::unexpected(vni.error());
    request.source_vni = *vni;
  }
  return request;
}

Result<FdbFilter> parse_fdb_flush(const v1::FlushFdbRequest& request, const LinkConfig& link,
                                  const IndexOf& index_of) {
  FdbFilter filter;
  for (const int value : request.states()) {
    const auto state = parse_state(static_cast<v1::FdbState>(value));
    if (!state) return std::unexpected(state.error());
    filter.states.push_back(*state);
  }
  if (!request.mac().empty()) {
    const auto mac = parse_mac(request.mac());
    if (!mac) return std::unexpected(mac.error());
    filter.mac = *mac;
  }
  auto remote = parse_remote(request.dst(), request.port(),
                             request.has_vni() ? std::optional(request.vni()) : std::nullopt, request.via(),
                             link, index_of);
  if (!remote) return std::unexpected(remote.error());
  filter.remote = *remote;
  if (request.nhid() != 0) filter.remote.group = request.nhid();
  if (request.has_router()) filter.router = request.router();
  return filter;
}

v1::FdbEntry to_proto(const FdbEntry& entry, const std::string& link_name, const NameOf& name_of) {
  v1::FdbEntry out;
  out.set_mac(entry.mac.to_string());
  out.set_dev(link_name);
  if (entry.group == 0) out.set_dst(entry.remote.address.to_string());
  out.set_nhid(entry.group);
  out.set_router(entry.router);
  out.set_extern_learn(entry.source != 0);
  out.set_frozen(entry.frozen);
  out.set_port(entry.remote.port.value());
  if (entry.remote.vni) out.set_vni(entry.remote.vni->value());
  if (entry.remote.via.is_set()) out.set_via(name_of(entry.remote.via));
  out.set_state(to_proto(entry.state));
  out.set_used(entry.used);
  out.set_updated(entry.updated);
  return out;
}

Result<Nexthop> parse_nexthop(const v1::Nexthop& nexthop) {
  Nexthop out{.id = nexthop.id()};
  if (nexthop.via().empty() == nexthop.members().empty()) {
    return fail(ErrorKind::kInvalid, "a nexthop has 'via' or is a 'group' of others");
  }
  if (!nexthop.via().empty()) {
    const auto via = IpAddr::parse(nexthop.via());
    if (!via) return fail(ErrorKind::kInvalid, fmt::format("via \"{}\" is not an IP address", nexthop.via()));
    out.via = *via;
  }
  for (const v1::NexthopMember& member : nexthop.members()) {
    out.members.push_back({.id = member.id(), .weight = member.weight() == 0 ? 1 : member.weight()});
  }
  return out;
}

v1::Nexthop to_proto(const Nexthop& nexthop) {
  v1::Nexthop out;
  out.set_id(nexthop.id);
  if (!nexthop.is_group()) out.set_via(nexthop.via.to_string());
  for (const NexthopMember& member : nexthop.members) {
    v1::NexthopMember& shown = *out.add_members();
    shown.set_id(member.id);
    shown.set_weight(member.weight);
  }
  return out;
}

Result<MdbRequest> parse_mdb_entry(const v1::MdbEntry& entry, const LinkConfig& link,
                                   const IndexOf& index_of) {
  MdbRequest request;
  const auto group = IpAddr::parse(entry.group());
  if (!group) return fail(ErrorKind::kInvalid, fmt::format("grp \"{}\" is not an IP address", entry.group()));
  request.group = *group;
  if (!entry.source().empty()) {
    const auto source = IpAddr::parse(entry.source());
    if (!source || source->is_multicast() || source->is_v4() != group->is_v4()) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("src \"{}\" is not a unicast address of the group's family", entry.source()));
    }
    request.source = *source;
  }
  const auto remote =
      parse_remote(entry.dst(), entry.port(), entry.has_vni() ? std::optional(entry.vni()) : std::nullopt,
                   entry.via(), link, index_of);
  if (!remote) return std::unexpected(remote.error());
  request.remote = {.address = remote->address.value_or(IpAddr()),
                    .port = remote->port.value_or(Port()),
                    .vni = remote->vni,
                    .via = remote->via.value_or(IfIndex())};
  return request;
}

v1::MdbEntry to_proto(const MdbEntry& entry, const std::string& link_name, const NameOf& name_of) {
  v1::MdbEntry out;
  out.set_dev(link_name);
  out.set_group(entry.group.to_string());
  if (!entry.source.is_unspecified()) out.set_source(entry.source.to_string());
  out.set_dst(entry.remote.address.to_string());
  out.set_port(entry.remote.port.value());
  if (entry.remote.vni) out.set_vni(entry.remote.vni->value());
  if (entry.remote.via.is_set()) out.set_via(name_of(entry.remote.via));
  out.set_permanent(entry.permanent);
  out.set_expires(entry.expires);
  return out;
}

Result<NeighbourRequest> parse_neighbour(const v1::Neighbour& neighbour) {
  NeighbourRequest request;
  const auto ip = IpAddr::parse(neighbour.ip());
  if (!ip || ip->is_multicast() || ip->is_unspecified()) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not the address of a neighbour", neighbour.ip()));
  }
  request.ip = *ip;
  if (!neighbour.mac().empty()) {
    const auto mac = parse_mac(neighbour.mac());
    if (!mac) return std::unexpected(mac.error());
    if (!mac->is_unicast()) {
      return fail(ErrorKind::kInvalid, fmt::format("lladdr {} is not a unicast address", neighbour.mac()));
    }
    request.mac = *mac;
  }
  request.router = neighbour.router();
  return request;
}

v1::LinkCounters to_proto(const LinkCounters& counters) {
  v1::LinkCounters out;
  out.set_encapsulated_frames(counters.encapsulated_frames);
  out.set_encapsulated_bytes(counters.encapsulated_bytes);
  out.set_decapsulated_frames(counters.decapsulated_frames);
  out.set_decapsulated_bytes(counters.decapsulated_bytes);
  out.set_flooded_frames(counters.flooded_frames);
  out.set_learned(counters.learned);
  out.set_moved(counters.moved);
  out.set_dropped(counters.drops.total());
  out.set_reserved_bits(counters.reserved_bits);
  out.set_suppressed(counters.suppressed);
  out.set_too_big_answers(counters.too_big_answers);
  out.set_frozen(counters.frozen);
  out.set_learn_refused(counters.learn_refused);
  return out;
}

v1::Remote to_proto(const Path& path, Seconds now) {
  v1::Remote out;
  out.set_address(path.address.to_string());
  if (path.mtu != 0) out.set_mtu(path.mtu);
  if (path.mtu != 0 && path.mtu_until != Path::kByHand) out.set_mtu_expires(path.mtu_until - now);
  if (path.checksum) out.set_udp_csum(*path.checksum);
  return out;
}

}  // namespace vtep
