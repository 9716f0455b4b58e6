// Takes part in a flannel network as one of its nodes, by flannel's own etcd v3 layout
// (docs/control-flannel.md): a flannel node on the same etcd does not notice the difference.
//
// The life of a node:
//   1. read the network's configuration, and wait for it if there is none;
//   2. open the tunnel device that it describes;
//   3. claim a subnet: the one that is there under our address, else the one we had before, else a free one;
//   a lease of
//      etcd holds it for a day;
//   4. say every other node's subnets to the RIB, and follow the changes; when changes were compacted away,
//   list and
//      say everything anew;
//   5. an hour before the lease ends, take a new one.
// While etcd is away nothing is withdrawn. What makes no sense is refused by name, and what was known of that
// node before stays. If our own key is deleted or becomes another's, we start again with step 1.
//
// Thread safety: belongs to the loop's thread. The key stays when the source is destroyed, as flannel's does:
// it is the node's until the lease ends, and the node may come back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "control/etcd_client.h"
#include "control/flannel_network.h"
#include "control/rib.h"
#include "control/source_status.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

struct FlannelOptions {
  std::string prefix = "/coreos.com/network";
  /// What the node had before.
  std::optional<Prefix> previous4{};
  std::optional<Prefix> previous6{};
};

/// Where other nodes send tunnel packets to.
struct FlannelAddresses {
  std::optional<IpAddr> v4{};
  std::optional<IpAddr> v6{};
};

/// What the host does for its node. Called from the loop's thread.
class FlannelHost {
 public:
  virtual ~FlannelHost() = default;
  /// As they are now; kUnavailable: there are none yet.
  virtual Result<FlannelAddresses> addresses() = 0;
  /// Makes the network's tunnel device, if there is none yet. Returns its MAC address.
  virtual Result<MacAddr> open_tunnel(const FlannelNetwork& network) = 0;
  /// `own` is this node's from now on.
  virtual Result<void> settle(const FlannelNetwork& network, const FlannelLease& own) = 0;
  /// Whether packets to `vtep` need no router.
  virtual bool is_neighbour(const IpAddr& vtep) = 0;
};

class FlannelSource {
 public:
  /// Loop, RIB and host must outlive it. `changed` is called whenever the RIB or the status may have changed.
  FlannelSource(Loop& loop, Rib& rib, SourceId id, std::unique_ptr<EtcdClient> etcd, FlannelHost& host,
                const FlannelOptions& options, std::function<void()> changed);
  ~FlannelSource();
  FlannelSource(const FlannelSource&) = delete;
  FlannelSource& operator=(const FlannelSource&) = delete;

  const SourceStatus& status() const { return status_; }
  /// Whether all other nodes' subnets were said at least once.
  bool has_listed() const { return has_listed_; }

 private:
  struct Node {
    Origin origin = 0;
    FlannelLease lease;
  };
  /// What we would write, and whether the key is ours already.
  struct Claim {
    FlannelLease lease;
    bool is_there = false;
  };

  // 1. to 3.: each asks etcd something, and the answer leads to the next.
  void start();
  void configure(const EtcdListing& found);
  void list_nodes();
  Result<Claim> choose(const EtcdListing& nodes) const;
  void write(const Claim& claim);
  void join(const FlannelLease& lease);

  // 4.
  void follow();
  void say_all(const EtcdListing& nodes);
  void take_events(std::span<const EtcdEvent> events);
  void take(const std::string& name, const std::string& value);
  Result<void> check(const std::string& name, const FlannelLease& lease) const;
  void accept(const std::string& name, const FlannelLease& lease);
  void forget(const std::string& name);
  void refuse(const std::string& name, const std::string& value, const std::string& why);
  void look_at_refused_again();

  // 5.
  void renew();

  // When something does not go as it should.
  void try_again(const Error& why);
  void begin_anew(const std::string& why);
  void wake_in(Duration delay, void (FlannelSource::*what)());
  /// `done`, unless the node has begun anew meanwhile; an error is a reason to try again.
  template <typename T>
  EtcdClient::Done<T> then(std::function<void(const T&)> done);

  std::string nodes_prefix() const { return options_.prefix + "/subnets/"; }

  Loop& loop_;
  Rib& rib_;
  const SourceId id_;
  const std::unique_ptr<EtcdClient> etcd_;
  FlannelHost& host_;
  const FlannelOptions options_;
  const std::function<void()> changed_;

  SourceStatus status_;
  std::uint64_t life_ = 0;  // of the node: answers to an earlier one's questions are ignored
  std::size_t failures_ = 0;
  Timer timer_;
  std::optional<FlannelNetwork> network_;
  FlannelAddresses addresses_;
  std::optional<MacAddr> router_;
  std::optional<FlannelLease> own_;
  std::unique_ptr<EtcdWatch> watch_;
  std::map<std::string, Node> nodes_;                         // by their keys
  std::map<IpAddr, std::pair<Prefix, std::string>> subnets_;  // of all nodes, disjoint: by address, whose
  std::unordered_map<std::uint64_t, std::string> routers_;    // by MAC address, whose
  std::map<std::string, std::string> refused_;                // keys and values that made no sense
  Origin last_origin_ = 0;
  bool has_listed_ = false;
};

}  // namespace vtep
