// This host as a node of a flannel network: the source that speaks with etcd, and what it needs of the host —
// the tunnel device flannel.VNI, its address, subnet.env — and what follows from the other nodes' leases:
// neighbours, FDB entries and routes. See docs/control-flannel.md.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "control/flannel_source.h"
#include "control/rib.h"
#include "daemon/overlay.h"
#include "daemon/routed_prefixes.h"
#include "io/loop.h"
#include "io/rtnetlink.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class FlannelNode final : public FlannelHost {
 public:
  /// What it works with; all of it must outlive it.
  struct Tools {
    Loop& loop;
    Rib& rib;
    Overlay& overlay;
    Rtnetlink& rtnetlink;
    RoutedPrefixes& prefixes;
  };

  /// `changed`: call reconcile() soon. kInvalid and others: the configuration cannot be, as for an endpoint
  /// that makes no sense or a device that has no address.
  static Result<std::unique_ptr<FlannelNode>> create(const Tools& tools, const v1::FlannelConfig& config,
                                                     std::function<void()> changed);
  /// Host and tables stay as they are, unless leave() was called.
  ~FlannelNode() override;
  FlannelNode(const FlannelNode&) = delete;
  FlannelNode& operator=(const FlannelNode&) = delete;

  const v1::FlannelConfig& config() const { return config_; }
  /// Compares the host with what it should be like, and mends it.
  void reconcile();
  /// Takes everything away that was made, but the lease, which is this node's until it ends.
  void leave();
  v1::Source describe() const;

 private:
  FlannelNode(const Tools& tools, const v1::FlannelConfig& config, SourceId id);

  Result<FlannelAddresses> addresses() override;
  Result<MacAddr> open_tunnel(const FlannelNetwork& network) override;
  Result<void> settle(const FlannelNetwork& network, const FlannelLease& own) override;
  bool is_neighbour(const IpAddr& vtep) override;

  Result<void> keep_addresses(IfIndex interface);
  Result<void> write_subnet_file(std::uint32_t mtu) const;
  RoutedPrefixes::AllWanted wanted() const;
  RoutedPrefixes::Place place(IfIndex interface) const;
  std::string link_name() const;

  const Tools tools_;
  const v1::FlannelConfig config_;
  const SourceId id_;
  FlannelAddresses addresses_;
  std::vector<Prefix> connected_;  // of the underlay device
  std::optional<FlannelNetwork> network_;
  std::optional<FlannelLease> own_;
  std::string trouble_;  // of the host; empty: none
  std::unique_ptr<FlannelSource> source_;
};

}  // namespace vtep
