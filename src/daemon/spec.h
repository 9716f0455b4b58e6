// From the words of the API (LinkSpec, FdbEntry) to the engine's types, checked; and back.
//
// Pure: what needs the system (does the device exist?) is checked elsewhere. Errors are kInvalid and say
// which word is wrong.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/fdb_entry.h"
#include "engine/link.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// A link's settings in types. What depends on the interface and its underlay device (MAC, MTU, interface
/// indexes) is filled in later, into `engine`.
struct LinkSettings {
  LinkConfig engine;
  std::string device;                ///< name of the underlay device; empty: none given
  std::optional<MacAddr> address;    ///< wished for
  std::optional<std::uint32_t> mtu;  ///< wished for
  bool is_group = false;             ///< engine.flood is a multicast group
};

/// Up to 15 bytes, no slash, no percent sign (a template to the kernel), no white space, no control
/// characters, not "." or ".." (dev_valid_name() of Linux).
Result<void> check_link_name(std::string_view name);

Result<LinkSettings> parse_link_spec(const v1::LinkSpec& spec);

/// `change` laid over `spec`: what is set wins; a new `group` removes `remote` and the other way round.
v1::LinkSpec merge_link_spec(v1::LinkSpec spec, const v1::LinkSpec& change);

/// The spec with every default written out, as `vtep -d link show` wants it.
v1::LinkSpec effective_link_spec(const LinkSettings& settings);

/// Interface name → index; kNotFound if there is none. And back, empty if there is none.
using IndexOf = std::function<Result<IfIndex>(const std::string& name)>;
using NameOf = std::function<std::string(IfIndex index)>;

/// Fields that are not given stay unset in the results.
struct FdbRequest {
  MacAddr mac;
  Remote remote;  ///< address unspecified if no dst was given
  FdbState state = FdbState::kPermanent;
  RemoteFilter filter;  ///< the same remote, for deleting
};
/// A port or VNI that is the link's own is the same as none given, as the kernel's driver has it.
Result<FdbRequest> parse_fdb_entry(const v1::FdbEntry& entry, const LinkConfig& link,
                                   const IndexOf& index_of);
Result<FdbFilter> parse_fdb_flush(const v1::FlushFdbRequest& request, const LinkConfig& link,
                                  const IndexOf& index_of);

v1::FdbEntry to_proto(const FdbEntry& entry, const std::string& link_name, const NameOf& name_of);

}  // namespace vtep
