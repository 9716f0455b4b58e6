// One VNI of the mesh as the other nodes describe it: takes what stands in etcd, and says it to the RIB.
//
// A station counts only as long as its node takes part in the VNI, for that says where the station's frames
// go: until then it waits. What makes no sense is refused by name, and what was known under that key before
// stays.
//
// Pure but for the RIB. Not thread-safe; the RIB outlives it. When it goes, nothing is withdrawn: leave()
// does that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/etcd_entry.h"
#include "control/mesh_layout.h"
#include "control/rib.h"
#include "control/source_status.h"

namespace vtep {

class MeshVni {
 public:
  /// What happened to a key of this node, whoever did it.
  using OwnKey = std::function<void(const MeshKey& key, const EtcdEvent& event)>;

  /// `prefix` is the VNI's in etcd. Frames can be sent to VTEPs of the families that `local` has. Keys of the
  /// node `self` say nothing to the RIB.
  MeshVni(Rib& rib, SourceId source, SourceStatus& status, Vni vni, std::string prefix, std::string self,
          std::vector<IpAddr> local, OwnKey on_own);
  MeshVni(const MeshVni&) = delete;
  MeshVni& operator=(const MeshVni&) = delete;

  const std::string& prefix() const { return prefix_; }

  /// Everything that is there: what is not among it is withdrawn.
  void take_all(const EtcdListing& listing, Time now);
  void take(std::span<const EtcdEvent> events, Time now);
  /// Withdraws everything.
  void leave(Time now);

  /// Nodes that take part, beside this one.
  std::size_t member_count() const { return members_; }

 private:
  struct Station {
    Origin origin = 0;  // of what it says, for two nodes may have it
    MeshStation said;
  };
  struct Node {
    Origin origin = 0;
    std::optional<IpAddr> vtep{};  // not set: it does not take part
    std::map<MacAddr, Station> stations{};
  };
  using Nodes = std::map<std::string, Node, std::less<>>;

  void take_one(const EtcdEvent& event, Time now);
  Result<void> accept(const MeshKey& key, const std::string& value, Time now);
  Result<IpAddr> choose(const MeshMember& member) const;
  void set_member(const std::string& name, const IpAddr& vtep, Time now);
  void set_station(const std::string& name, MacAddr mac, const MeshStation& said, Time now);
  void remove(const MeshKey& key, Time now);
  void say(const IpAddr& vtep, MacAddr mac, const Station& station, Time now);
  void unsay(MacAddr mac, const Station& station, Time now);
  std::string refusal_name(std::string_view rest) const;

  Rib& rib_;
  const SourceId source_;
  SourceStatus& status_;
  const Vni vni_;
  const std::string prefix_;
  const std::string self_;
  const std::vector<IpAddr> local_;
  const OwnKey on_own_;

  Nodes nodes_;
  std::size_t members_ = 0;
  Origin last_origin_ = 0;
};

}  // namespace vtep
