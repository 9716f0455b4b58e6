// Links whose data path is the kernel's driver (`datapath kernel`): a vxlan device for each, made and
// programmed over netlink, and its port of a bridge if somebody makes it one (docs/datapath-kernel.md).
//
//   entries      of the device, and of the bridge behind the device's port
//   neighbours   of the bridge, which answers ARP and ND from them at that port; without one, of the device
//   stations     what the bridge has learned behind its other ports, and the bridge itself
//
// The kernel's tables are the truth: lists are asked for, and changes by anybody are heard of. Only what
// control planes have said is remembered here, to tell it from what a person has set, and to repair it.
//
// Errors: kInvalid names what the driver does not have; others are the kernel's, in its words.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/control_words.h"
#include "daemon/kernel_link.h"
#include "engine/event.h"
#include "engine/neighbours.h"
#include "io/bridge_fdb.h"
#include "io/loop.h"
#include "io/neighbour_table.h"
#include "io/rtnetlink.h"
#include "io/timer.h"
#include "io/vxlan_device.h"

namespace vtep {

class KernelLinks {
 public:
  /// What its owner is told.
  struct Hooks {
    std::function<void(const KernelLink&)> changed;
    std::function<void(const std::string& from, const std::string& to)> renamed;
    /// Somebody has deleted the device, or moved it to another namespace: the link is gone with it.
    std::function<void(const KernelLink&)> lost;
    std::function<void(const FdbEvent&)> entry;
  };

  /// How long entries of the last daemon count that nobody has said again.
  static constexpr Duration kGrace = std::chrono::seconds(60);

  /// All must outlive it. Until there is a link, nothing is opened.
  KernelLinks(Loop& loop, Rtnetlink& rtnetlink, NeighbourTable& neighbours, Hooks hooks);
  ~KernelLinks();
  KernelLinks(const KernelLinks&) = delete;
  KernelLinks& operator=(const KernelLinks&) = delete;

  // --- links (kernel_links.cc)

  bool contains(const std::string& name) const { return links_.contains(name); }
  const std::map<std::string, KernelLink>& all() const { return links_; }
  const KernelLink& get(const std::string& name) const { return links_.at(name); }

  Result<void> add(const std::string& name, const v1::LinkSpec& spec);
  /// `spec` takes the place of the link's own, wholly.
  Result<void> respecify(const std::string& name, const v1::LinkSpec& spec, std::optional<bool> up);
  Result<void> rename(const std::string& name, const std::string& new_name);
  void remove(const std::string& name);
  v1::Link describe(const KernelLink& link) const;

  /// From the journal, one after the other: nothing happens yet. A link that is there is changed.
  Result<void> remember(const std::string& name, const v1::LinkSpec& spec);
  void remember(const v1::FdbChange& change);
  void forget(const std::string& name) { links_.erase(name); }
  void rename_remembered(const std::string& from, const std::string& to);
  /// Takes over the devices that the last daemon left, and makes those that are missing.
  void restore();
  /// Deletes the devices, or leaves them to the next daemon.
  void close(bool remove);

  void interface_changed(const Rtnetlink::Change& change);

  // --- tables (kernel_tables.cc)

  Result<void> change_fdb(const v1::FdbChange& change);
  struct Flushed {
    std::uint64_t removed = 0;
    std::vector<v1::FdbChange> forgotten{};  ///< of what was remembered
  };
  Result<Flushed> flush_fdb(const v1::FlushFdbRequest& request);
  Result<std::vector<FdbEntry>> list_fdb(const std::string& name);
  Result<std::vector<Neighbour>> list_neighbours(const std::string& name);
  Result<void> change_neighbour(const v1::NeighbourChange& change);

  // --- for control planes: see Overlay (kernel_external.cc)

  Result<void> write(const std::string& name, std::span<const ExternalMac> wanted);
  Result<void> write(const std::string& name, std::span<const ExternalFlood> wanted);
  Result<void> write(const std::string& name, std::span<const ExternalNeighbour> wanted);
  std::vector<FdbEntry> list_external(const std::string& name, std::uint8_t source) const;
  void append_controlled(std::vector<ControlledVni>& out);
  void forget_station(const std::string& name, MacAddr mac);
  /// Told from now on; null: nobody.
  void watch(ControlWatcher* watcher) { watcher_ = watcher; }
  void neighbour_changed(const NeighbourEntry& entry);

 private:
  Result<void> open();
  Result<void> make_device(KernelLink& link);
  Result<void> take_device(KernelLink& link);
  Result<void> look_at_device(KernelLink& link, const VxlanParameters& parameters);
  Result<IfIndex> index_of(const std::string& device) const;
  Result<VxlanParameters> parameters_of(const v1::LinkSpec& spec, const LinkSettings& settings) const;
  void set_bridge(KernelLink& link, IfIndex bridge);
  void set_port(const KernelLink& link);
  void follow_interface(KernelLink& link, const Interface& interface);
  void follow_host_interface(KernelLink& link);
  KernelLink* find(IfIndex interface);

  FdbEntry to_entry(const KernelLink& link, const BridgeEntry& entry) const;
  Result<BridgeEntry> parse(const KernelLink& link, const v1::FdbEntry& entry) const;
  void entry_changed(const BridgeEntry& entry);
  void own_entry_changed(KernelLink& link, const BridgeEntry& entry);
  void bridge_entry_changed(KernelLink& link, const BridgeEntry& entry);
  void lost_entry(const KernelLink& link, const BridgeEntry& entry);

  void take_stations(KernelLink& link);
  void see_station(const KernelLink& link, MacAddr mac);
  void tell(const KernelLink& link, StationEvent::Kind kind, MacAddr mac, const IpAddr& ip = {},
            bool router = false);
  void write_neighbours(KernelLink& link, std::span<const ExternalNeighbour> wanted);
  /// Out of the kernel. Returns them.
  std::vector<ExternalNeighbour> drop_neighbours(KernelLink& link);
  void sweep();

  Loop& loop_;
  Rtnetlink& rtnetlink_;
  NeighbourTable& neighbours_;
  const Hooks hooks_;
  std::unique_ptr<VxlanDevices> devices_;  // both null until there is a link
  std::unique_ptr<BridgeFdb> fdb_;
  ControlWatcher* watcher_ = nullptr;
  std::map<std::string, KernelLink> links_;
  Timer sweep_{loop_};
};

}  // namespace vtep
