// From the words of the API about the engine's tables (FdbEntry, Nexthop, MdbEntry, Neighbour) to its types,
// checked; and back. Pure; errors are kInvalid and say which word is wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/fdb_entry.h"
#include "engine/link.h"
#include "engine/mdb.h"
#include "engine/nexthops.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Interface name → index; kNotFound if there is none. And back, empty if there is none.
using IndexOf = std::function<Result<IfIndex>(const std::string& name)>;
using NameOf = std::function<std::string(IfIndex index)>;

/// Fields that are not given stay unset in the results.
struct FdbRequest {
  MacAddr mac;
  FdbTarget target;  ///< address unspecified if no dst was given
  FdbState state = FdbState::kPermanent;
  RemoteFilter filter;            ///< the same remote, for deleting
  std::optional<Vni> source_vni;  ///< whose table it is, on a link with several
};
/// A port or VNI that is the link's own is the same as none given, as the kernel's driver has it.
Result<FdbRequest> parse_fdb_entry(const v1::FdbEntry& entry, const LinkConfig& link,
                                   const IndexOf& index_of);
Result<FdbFilter> parse_fdb_flush(const v1::FlushFdbRequest& request, const LinkConfig& link,
                                  const IndexOf& index_of);

Result<Nexthop> parse_nexthop(const v1::Nexthop& nexthop);
v1::Nexthop to_proto(const Nexthop& nexthop);

struct MdbRequest {
  IpAddr group;
  IpAddr source;  ///< unspecified: any
  Remote remote;  ///< address unspecified if no dst was given
};
Result<MdbRequest> parse_mdb_entry(const v1::MdbEntry& entry, const LinkConfig& link,
                                   const IndexOf& index_of);
v1::MdbEntry to_proto(const MdbEntry& entry, const std::string& link_name, const NameOf& name_of);

struct NeighbourRequest {
  IpAddr ip;
  MacAddr mac;  ///< zero if none was given
  bool router = false;
};
Result<NeighbourRequest> parse_neighbour(const v1::Neighbour& neighbour);

v1::LinkCounters to_proto(const LinkCounters& counters);
v1::Remote to_proto(const Path& path, Seconds now);

v1::FdbEntry to_proto(const FdbEntry& entry, const std::string& link_name, const NameOf& name_of);

}  // namespace vtep
