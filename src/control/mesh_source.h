// The mesh: VTEPs that know each other from etcd (docs/control-etcd.md). Says to the RIB who takes part in
// this host's VNIs and which stations they have, and to the others what LocalFacts has.
//
// What this node says stands under a lease: when the host dies, all of it goes within the lease's time. While
// etcd is away nothing is withdrawn here, and others keep what they know until the lease ends. A node's name
// is its own: if another host has it, with other addresses, this one waits and says so.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/etcd_client.h"
#include "control/etcd_follower.h"
#include "control/etcd_lease.h"
#include "control/local_facts.h"
#include "control/mesh_layout.h"
#include "control/mesh_publisher.h"
#include "control/mesh_vni.h"
#include "control/rib.h"
#include "control/source_status.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

struct MeshOptions {
  std::string prefix = "/vtep/v1";
  std::string node;              ///< is_node_name()
  std::chrono::seconds ttl{30};  ///< after which a host that has died is forgotten
};

class MeshSource {
 public:
  /// Loop, RIB and local facts must outlive it. `changed` is called whenever the RIB or the status may have
  /// changed.
  MeshSource(Loop& loop, Rib& rib, SourceId id, LocalFacts& local, std::unique_ptr<EtcdClient> etcd,
             const MeshOptions& options, std::function<void()> changed);
  ~MeshSource();
  MeshSource(const MeshSource&) = delete;
  MeshSource& operator=(const MeshSource&) = delete;

  const SourceStatus& status();
  /// Withdraws what this node says, and calls `done`, in any case and once.
  void leave(std::function<void()> done);

 private:
  struct Followed {
    std::unique_ptr<MeshVni> view;
    std::unique_ptr<EtcdFollower> follower;
  };

  void follow(Vni vni);
  void claim_name();
  void name_is_ours(std::int64_t lease, const std::string& value);
  void name_is_taken(const EtcdEntry& entry, std::int64_t lease);
  void try_again(const Error& why);
  void connected();
  void trouble(const Error& why);
  std::string state() const;
  /// All addresses to which others send.
  MeshMember identity() const;

  Loop& loop_;
  Rib& rib_;
  const SourceId id_;
  LocalFacts& local_;
  const MeshOptions options_;
  const MeshLayout layout_;
  const std::function<void()> changed_;
  SourceStatus status_;

  const std::unique_ptr<EtcdClient> etcd_;  // what follows refers to it, and goes first
  EtcdLease lease_;
  MeshPublisher publisher_;
  std::map<Vni, Followed> vnis_;
  const LocalFacts::ListenerId listener_;
  Timer timer_;
  std::string claimed_;  // what stands under our name; empty: it is not ours
};

}  // namespace vtep
