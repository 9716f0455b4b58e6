#include "cli/vxlan_check.h"

#include <fmt/format.h>

#include <optional>

#include "base/ip.h"

namespace vtep {

namespace {

// The bits of the VXLAN header, as one number, that say something (RFC 7348 section 5,
// draft-smith-vxlan-group-policy-05 section 2.1, draft-herbert-vxlan-rco-00 section 2.1).
constexpr std::uint64_t kVniBits = 0x0800'0000'ffff'ff00;
constexpr std::uint64_t kGroupPolicyBits = 0x80ff'ffff'0000'0000;
constexpr std::uint64_t kRemoteChecksumBits = 0x0020'0000'0000'00ff;

std::optional<IpAddr> address(bool is_given, const std::string& text) {
  return is_given ? IpAddr::parse(text) : std::nullopt;
}

bool is_link_local(const IpAddr& ip) {
  return ip.is_v6() && ip.v6().is_link_local();
}

struct Addresses {
  explicit Addresses(const v1::LinkSpec& spec)
      : group(address(spec.has_group(), spec.group())),
        remote(address(spec.has_remote(), spec.remote())),
        local(address(spec.has_local(), spec.local())),
        local6(address(spec.has_local6(), spec.local6())) {}

  const std::optional<IpAddr>& far() const { return group ? group : remote; }
  bool has_v4() const { return (local && local->is_v4()) || (far() && far()->is_v4()); }
  bool has_v6() const { return local6 || (local && local->is_v6()) || (far() && far()->is_v6()); }
  /// The source address to `far()`.
  const std::optional<IpAddr>& source() const { return local6 && far() && far()->is_v6() ? local6 : local; }

  std::optional<IpAddr> group, remote, local, local6;
};

std::string about_vnis(const v1::LinkSpec& spec, bool is_new) {
  if (spec.external() && !spec.vnifilter()) {
    return "vtep cannot do 'external' alone: tunnel metadata of the kernel's packets never reaches a TAP; "
           "say "
           "'external vnifilter', which tells VNIs apart by VLAN";
  }
  if (spec.vnifilter() && !spec.external()) return "'vnifilter' is valid only together with 'external'";
  if (spec.vnifilter() && spec.has_id()) {
    return "'id' and 'vnifilter' exclude each other: give the link its VNIs with 'vtep vni add'";
  }
  if (spec.vnifilter() && (spec.has_group() || spec.has_remote())) {
    const std::string_view word = spec.has_group() ? "group" : "remote";
    return fmt::format(
        "'{0}' and 'vnifilter' exclude each other: each VNI has its own, say 'vtep vni add dev "
        "DEV vni VNI {0} IP'",
        word);
  }
  if (is_new && !spec.vnifilter() && !spec.has_id()) return "the VNI is missing: say 'id VNI'";
  return {};
}

std::string about_families(const Addresses& addresses) {
  const std::optional<IpAddr>& far = addresses.far();
  const std::optional<IpAddr>& source = addresses.source();
  if (!far || !source || far->is_v4() == source->is_v4()) return {};
  return fmt::format(
      "{} cannot be the source address of packets to {}: give 'local' once more, with an {} address",
      source->to_string(), far->to_string(), far->is_v4() ? "IPv4" : "IPv6");
}

// RFC 4007 section 6: a link-local address means something on one link only.
std::string about_scopes(const Addresses& addresses, const v1::LinkSpec& spec) {
  const std::optional<IpAddr>& remote = addresses.remote;
  const std::optional<IpAddr> source = addresses.local6 ? addresses.local6 : addresses.local;
  const bool local_is_link = source && is_link_local(*source);
  const bool remote_is_link = remote && is_link_local(*remote);
  if (remote_is_link && !local_is_link) {
    return fmt::format("'remote {}' is link-local and needs a link-local 'local' and its 'dev'",
                       remote->to_string());
  }
  if (local_is_link && remote && remote->is_v6() && !remote_is_link) {
    return fmt::format("'local {}' is link-local and cannot reach {}", source->to_string(),
                       remote->to_string());
  }
  if (local_is_link && !spec.has_dev()) {
    return fmt::format("'local {}' is link-local: say on which link, 'dev DEV'", source->to_string());
  }
  return {};
}

std::string about_addresses(const v1::LinkSpec& spec, bool is_new) {
  const Addresses addresses(spec);
  if (std::string trouble = about_families(addresses); !trouble.empty()) return trouble;
  if (!is_new) return {};
  if (spec.has_group() && !spec.has_dev()) return "'group' needs the underlay device: say 'dev DEV'";
  const bool has_label = spec.flow_label() != 0 || spec.flow_label_inherit();
  if (has_label && addresses.has_v4() && !addresses.has_v6()) {
    return "'flowlabel' is a field of IPv6, and the link's addresses are IPv4";
  }
  return about_scopes(addresses, spec);
}

std::string about_reserved_bits(const v1::LinkSpec& spec) {
  std::uint64_t used = kVniBits;
  if (spec.gbp()) used |= kGroupPolicyBits;
  if (spec.remcsum_rx()) used |= kRemoteChecksumBits;
  const std::uint64_t both = spec.reserved_bits() & used;
  if (both == 0) return {};
  return fmt::format(
      "'reserved_bits {:#x}' makes no sense: {:#x} of it is in use by this link, so it would drop what it "
      "is for",
      spec.reserved_bits(), both);
}

}  // namespace

std::string vxlan_contradiction(const v1::LinkSpec& spec, bool is_new) {
  if (std::string trouble = about_vnis(spec, is_new); !trouble.empty()) return trouble;
  if (std::string trouble = about_addresses(spec, is_new); !trouble.empty()) return trouble;
  return about_reserved_bits(spec);
}

}  // namespace vtep
