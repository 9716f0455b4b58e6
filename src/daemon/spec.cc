#include "daemon/spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace vtep {
namespace {

constexpr std::size_t kMaxName = 15;  // IFNAMSIZ − 1

Result<void> parse_addresses(const v1::LinkSpec& spec, LinkSettings& settings) {
  if (spec.has_group() && spec.has_remote()) {
    return fail(ErrorKind::kInvalid, "vxlan: both group and remote cannot be specified");
  }
  if (spec.has_group() || spec.has_remote()) {
    const std::string& text = spec.has_group() ? spec.group() : spec.remote();
    const auto address = IpAddr::parse(text);
    if (!address || address->is_unspecified()) {
      return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not an IP address", text));
    }
    if (spec.has_group() && !address->is_multicast()) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("group {} is not a multicast address; a unicast VTEP is given by 'remote'", text));
    }
    if (spec.has_remote() && address->is_multicast()) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("remote {} is a multicast address; a group is given by 'group'", text));
    }
    if (spec.has_group() && settings.device.empty()) {
      return fail(ErrorKind::kInvalid, "vxlan: 'group' requires 'dev' to be specified");
    }
    settings.engine.flood = address;
    settings.is_group = spec.has_group();
  }
  if (spec.has_local()) {
    const auto local = IpAddr::parse(spec.local());
    if (!local || local->is_multicast()) {
      return fail(ErrorKind::kInvalid, fmt::format("local \"{}\" is not a unicast IP address", spec.local()));
    }
    settings.engine.local = local->is_unspecified() ? IpAddr() : *local;
  }
  const bool v6 = (settings.engine.flood && settings.engine.flood->is_v6()) ||
                  (!settings.engine.local.is_unspecified() && settings.engine.local.is_v6());
  if (settings.engine.flood && !settings.engine.local.is_unspecified() &&
      settings.engine.flood->is_v4() != settings.engine.local.is_v4()) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("local {} and {} {} are of different address families", settings.engine.local.to_string(),
                    spec.has_group() ? "group" : "remote", settings.engine.flood->to_string()));
  }
  if (v6) return fail(ErrorKind::kInvalid, "an IPv6 underlay is not supported yet: use IPv4 addresses");
  return {};
}

Result<void> parse_ports(const v1::LinkSpec& spec, LinkSettings& settings) {
  const auto port = Port::from(spec.dstport());
  if (!port) return fail(ErrorKind::kInvalid, fmt::format("dstport {} is larger than 65535", spec.dstport()));
  settings.engine.port = port->is_zero() ? kLinuxVxlanPort : *port;

  const auto min = Port::from(spec.srcport_min());
  const auto max = Port::from(spec.srcport_max());
  if (!min || !max || *min > *max || (min->is_zero() && !max->is_zero())) {
    return fail(ErrorKind::kInvalid,
                fmt::format("srcport {} {} is not a range of ports", spec.srcport_min(), spec.srcport_max()));
  }
  if (!max->is_zero()) settings.engine.source_ports = {*min, *max};
  return {};
}

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

Result<MacAddr> parse_mac(const std::string& text) {
  const auto mac = MacAddr::parse(text);
  if (!mac) return fail(ErrorKind::kInvalid, fmt::format("Invalid mac address {}", text));
  return *mac;
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
    if (remote.address->is_v6()) {
      return fail(ErrorKind::kInvalid, "an IPv6 underlay is not supported yet: use IPv4 addresses");
    }
  }
  if (port != 0) {
    remote.port = Port::from(port);
    if (!remote.port) return fail(ErrorKind::kInvalid, fmt::format("port {} is larger than 65535", port));
    if (remote.port == link.port) remote.port = Port();
  }
  if (vni) {
    remote.vni = Vni::from(*vni);
    if (!remote.vni) return fail(ErrorKind::kInvalid, fmt::format("VNI {} is larger than 16777215", *vni));
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

Result<void> check_link_name(std::string_view name) {
  const auto bad = [](char c) {
    return c == '/' || c == '%' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  };
  if (name.empty() || name == "." || name == ".." || std::ranges::any_of(name, bad)) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a valid interface name", name));
  }
  if (name.size() > kMaxName) {
    return fail(ErrorKind::kInvalid,
                fmt::format("interface name \"{}\" is longer than {} characters", name, kMaxName));
  }
  return {};
}

Result<LinkSettings> parse_link_spec(const v1::LinkSpec& spec) {
  LinkSettings settings;
  if (!spec.has_id()) return fail(ErrorKind::kInvalid, "a vxlan link needs a VNI: give 'id VNI'");
  const auto vni = Vni::from(spec.id());
  if (!vni) return fail(ErrorKind::kInvalid, fmt::format("id {} is larger than 16777215", spec.id()));
  settings.engine.vni = *vni;

  settings.device = spec.dev();
  if (spec.has_dev()) {
    if (auto checked = check_link_name(spec.dev()); !checked) return std::unexpected(checked.error());
  }
  if (auto done = parse_addresses(spec, settings); !done) return std::unexpected(done.error());
  if (auto done = parse_ports(spec, settings); !done) return std::unexpected(done.error());

  if (spec.ttl() > 255)
    return fail(ErrorKind::kInvalid, fmt::format("ttl {} is larger than 255", spec.ttl()));
  settings.engine.ttl = static_cast<std::uint8_t>(spec.ttl());
  if (spec.has_ageing()) settings.engine.ageing = spec.ageing();
  if (spec.has_learning()) settings.engine.learning = spec.learning();
  if (spec.has_address()) {
    const auto mac = parse_mac(spec.address());
    if (!mac) return std::unexpected(mac.error());
    if (!mac->is_unicast()) {
      return fail(ErrorKind::kInvalid, fmt::format("address {} is not a unicast address", spec.address()));
    }
    settings.address = *mac;
  }
  if (spec.has_mtu()) {
    if (spec.mtu() < 68 || spec.mtu() > 65535) {
      return fail(ErrorKind::kInvalid, fmt::format("mtu {} is not between 68 and 65535", spec.mtu()));
    }
    settings.mtu = spec.mtu();
  }
  return settings;
}

v1::LinkSpec merge_link_spec(v1::LinkSpec spec, const v1::LinkSpec& change) {
  // Two addresses in one request stay two, so that parsing refuses them; one of them takes the other's place.
  if (change.has_group() && !change.has_remote()) spec.clear_remote();
  if (change.has_remote() && !change.has_group()) spec.clear_group();
  spec.MergeFrom(change);
  return spec;
}

v1::LinkSpec effective_link_spec(const LinkSettings& settings) {
  const LinkConfig& engine = settings.engine;
  v1::LinkSpec spec;
  spec.set_id(engine.vni.value());
  if (engine.flood) {
    (settings.is_group ? *spec.mutable_group() : *spec.mutable_remote()) = engine.flood->to_string();
  }
  if (!engine.local.is_unspecified()) spec.set_local(engine.local.to_string());
  if (!settings.device.empty()) spec.set_dev(settings.device);
  spec.set_dstport(engine.port.value());
  const bool is_default = engine.source_ports == PortRange{};
  spec.set_srcport_min(is_default ? 0 : engine.source_ports.min.value());
  spec.set_srcport_max(is_default ? 0 : engine.source_ports.max.value());
  spec.set_ttl(engine.ttl);
  spec.set_ageing(engine.ageing);
  spec.set_learning(engine.learning);
  spec.set_address(engine.address.to_string());
  spec.set_mtu(engine.mtu);
  return spec;
}

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
  return FdbRequest{.mac = *mac,
                    .remote = {.address = filter->address.value_or(IpAddr()),
                               .port = filter->port.value_or(Port()),
                               .vni = filter->vni,
                               .via = filter->via.value_or(IfIndex())},
                    .state = *state,
                    .filter = *filter};
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
  return filter;
}

v1::FdbEntry to_proto(const FdbEntry& entry, const std::string& link_name, const NameOf& name_of) {
  v1::FdbEntry out;
  out.set_mac(entry.mac.to_string());
  out.set_dev(link_name);
  out.set_dst(entry.remote.address.to_string());
  out.set_port(entry.remote.port.value());
  if (entry.remote.vni) out.set_vni(entry.remote.vni->value());
  if (entry.remote.via.is_set()) out.set_via(name_of(entry.remote.via));
  out.set_state(to_proto(entry.state));
  out.set_used(entry.used);
  out.set_updated(entry.updated);
  return out;
}

}  // namespace vtep
