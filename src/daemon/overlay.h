// The links of this host: created, changed and removed on request, remembered in the journal, and kept whole
// while the system around them changes.
//
// Every link needs four things from the system: the underlay device, a receiver on the UDP port, the
// interface, and (with a group) a membership. A request is strict: if one of them cannot be had, the request
// fails and nothing stays. Afterwards the link is lenient: what goes missing is logged once as a trouble, and
// taken up again when the kernel says that it is back, or by a retry.
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
#include "daemon/data_plane.h"
#include "daemon/journal.h"
#include "daemon/kernel_links.h"
#include "daemon/overlay_link.h"
#include "daemon/table_spec.h"
#include "io/loop.h"
#include "io/memberships.h"
#include "io/neighbour_table.h"
#include "io/rtnetlink.h"
#include "io/timer.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class Overlay {
 public:
  using Publish = std::function<void(const v1::Event&)>;
  /// What the engine's number of a link means to people.
  struct LinkName {
    std::string name;
    std::optional<Vni> vni{};  ///< of a link that has several
  };

  /// All of them must outlive it.
  Overlay(Loop& loop, Rtnetlink& rtnetlink, NeighbourTable& system_neighbours, DataPlane& data_plane,
          Journal& journal);
  ~Overlay();
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // --- links (overlay.cc)

  /// An empty name becomes vxlanN. Returns the name.
  Result<std::string> add_link(const std::string& name, const v1::LinkSpec& spec);
  Result<void> set_link(const std::string& name, const v1::LinkSpec& change, std::optional<bool> up);
  Result<void> rename_link(const std::string& name, const std::string& new_name);
  Result<void> delete_link(const std::string& name);
  /// All, or the one that is named.
  Result<std::vector<v1::Link>> list_links(const std::string& name);
  std::vector<v1::DropCount> list_drops(const std::string& dev);
  bool has_link(const std::string& name) const { return links_.contains(name) || kernel_.contains(name); }
  std::size_t link_count() const { return links_.size() + kernel_.all().size(); }

  // --- forwarding tables (overlay_fdb.cc)

  struct FdbOutcome {
    std::uint64_t applied = 0;
    std::uint64_t refused = 0;
    std::optional<Error> first_refusal;
    std::uint64_t first_refused = 0;  ///< its number, from 1
  };
  /// In order; stops at the first refusal unless that change says `force`.
  FdbOutcome change_fdb(std::span<const v1::FdbChange> changes);
  Result<std::uint64_t> flush_fdb(const v1::FlushFdbRequest& request);
  /// A copy of the table with what is needed to turn it into messages on another thread.
  struct FdbSnapshot {
    std::vector<FdbEntry> entries;
    std::map<LinkId, LinkName> links;
    std::map<IfIndex, std::string> devices;
    std::map<std::uint8_t, std::string> sources;
    v1::FdbEntry message(const FdbEntry& entry) const;
  };
  Result<FdbSnapshot> list_fdb(const v1::ListFdbRequest& request);
  std::size_t fdb_size() const { return data_plane_.engine()->fdb().size(); }

  // --- what control planes say (overlay_external.cc)

  /// What the listing calls the source with this number.
  void name_source(std::uint8_t source, const std::string& name) { source_names_[source] = name; }
  // On a link that has several VNIs, `vni` says in which one. What a person has set is never touched
  // (kExists, after the others were written); what was learned makes room. Told in one go, for frames wait
  // little then.

  /// Entries that neither age nor move.
  Result<void> write_external(const std::string& dev, std::optional<Vni> vni,
                              std::span<const ExternalMac> wanted);
  /// Remotes of the flood list.
  Result<void> write_external(const std::string& dev, std::optional<Vni> vni,
                              std::span<const ExternalFlood> wanted);
  /// From which questions are answered.
  Result<void> write_external(const std::string& dev, std::optional<Vni> vni,
                              std::span<const ExternalNeighbour> wanted);
  /// The source's entries on this link.
  Result<std::vector<FdbEntry>> list_external(const std::string& dev, std::uint8_t source);

  /// Every VNI of links with `control`.
  std::vector<ControlledVni> list_controlled();
  /// Its next frame is news.
  void forget_station(const std::string& dev, std::optional<Vni> vni, MacAddr mac);
  /// Told from now on; null: nobody.
  void watch(ControlWatcher* watcher) {
    watcher_ = watcher;
    kernel_.watch(watcher);
  }

  // --- VNIs of a link that has several (overlay_vnis.cc)

  Result<void> change_vni(const v1::VniChange& change);
  Result<std::vector<v1::VniEntry>> list_vnis(const std::string& dev);

  // --- the engine's other tables (overlay_tables.cc)

  Result<void> change_nexthop(const v1::NexthopChange& change);
  Result<std::vector<v1::Nexthop>> list_nexthops(std::uint32_t id);
  Result<void> change_mdb(const v1::MdbChange& change);
  Result<std::vector<v1::MdbEntry>> list_mdb(const std::string& dev);
  Result<void> change_neighbour(const v1::NeighbourChange& change);
  Result<std::vector<v1::Neighbour>> list_neighbours(const std::string& dev);
  Result<void> set_remote(const v1::Remote& remote);
  Result<std::vector<v1::Remote>> list_remotes(const std::string& dev);

  // --- from one daemon to the next (overlay_restore.cc); the world around is overlay_system.cc's

  /// Reads the journal and takes up what the last daemon left.
  void restore();
  /// Turns the difference between the configuration applied last and this one into requests. What was added
  /// by other means stays. Returns the first error; everything else was done.
  Result<void> apply_config(const v1::Config& config);
  /// Removes interfaces and state (true), or leaves both to the next daemon.
  void close(bool remove);

  /// Who wants to know of changes; an empty function: nobody, and then nothing is prepared for it.
  void on_change(Publish publish) { publish_ = std::move(publish); }

 private:
  using Links = std::map<std::string, OverlayLink>;

  void restore(const v1::StateRecord& record);
  bool restore_kernel(const v1::StateRecord& record);
  OverlayLink& rename_in_tables(const std::string& from, const std::string& to);
  static LinkConfig member_config(const LinkConfig& link, Vni number, const std::optional<IpAddr>& flood);
  std::vector<Path> known_paths();

  // Links whose data path is the kernel's (overlay_kernel.cc).
  KernelLinks::Hooks kernel_hooks();
  Result<void> add_kernel_link(const std::string& name, const v1::LinkSpec& spec);
  Result<void> respecify_kernel_link(const std::string& name, v1::LinkSpec spec, std::optional<bool> up);
  void delete_kernel_link(const std::string& name);
  void publish(v1::Event::Action action, const KernelLink& link);
  Result<std::uint64_t> flush_kernel_fdb(const v1::FlushFdbRequest& request);
  Result<void> append_kernel_entries(const v1::ListFdbRequest& request, FdbSnapshot& snapshot);
  Result<void> append_kernel_neighbours(const std::string& dev, std::vector<v1::Neighbour>& out);
  void append_kernel_links(std::vector<v1::StateRecord>& records) const;
  void append_kernel_drops(const std::string& name, std::vector<v1::DropCount>& out);

  // Pure part of a link's life: engine only.
  Result<OverlayLink*> insert(const std::string& name, const v1::LinkSpec& spec);
  void erase(Links::iterator link, bool remove_interface);

  /// The only way in which a link's device and local addresses change: underlays_ and locals_ follow.
  void set_settings(OverlayLink& link, const LinkSettings& settings);
  void count_underlay(const LinkSettings& settings, bool add);
  /// `spec` takes the place of the link's own, wholly.
  Result<void> respecify(OverlayLink& link, v1::LinkSpec spec, std::optional<bool> up);

  // The system's part. Each does nothing if it is done already.
  Result<void> take_device(OverlayLink& link);
  Result<void> check_underlay(const OverlayLink& link);
  Result<void> take_receiver(OverlayLink& link);
  Result<void> take_interface(OverlayLink& link);
  Result<void> take_membership(OverlayLink& link);
  void drop_membership(OverlayLink& link);
  Result<void> take_left_interface(OverlayLink& link);
  Result<void> take_away(OverlayLink& link, std::unique_ptr<Tap> tap);
  void look_elsewhere(OverlayLink& link);
  void underlay_changed(const Rtnetlink::Change& change, const std::string& old_name, bool is_ours);
  void look_later();
  bool delete_interfaces();
  void accept_zero_checksums(const OverlayLink& link);
  void repair(OverlayLink& link);
  void retry_later();

  /// From what the configuration said of a link (null: nothing) to what it says now.
  Result<void> configure(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before);

  void configure_vnis(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before,
                      const std::function<void(const Result<void>&)>& keep);
  void configure_neighbours(const v1::ConfiguredLink& wanted, const v1::ConfiguredLink* before,
                            const std::function<void(const Result<void>&)>& keep);

  void interface_changed(const Rtnetlink::Change& change);
  void own_interface_changed(OverlayLink& link, const Interface& interface);
  void interface_lost(OverlayLink& link);
  Result<void> follow_mtu(OverlayLink& link, bool first_time);
  void fit_super_frames(const OverlayLink& link, std::uint32_t mtu);
  void set_engine(OverlayLink& link, const LinkConfig& config);
  void set_trouble(OverlayLink& link, Trouble trouble, const Result<void>& state);
  Result<std::string> free_name() const;

  Result<void> change_one(const v1::FdbChange& change);
  Result<IfIndex> index_of(const std::string& device);
  std::string name_of(IfIndex device) const;
  Result<OverlayLink*> find(const std::string& name);
  void remember(const OverlayLink& link) { remember_link(link.name, link.spec); }
  void remember_link(const std::string& name, const v1::LinkSpec& spec);
  void remember_deleted(const std::string& name);
  void remember(const v1::StateRecord& record);
  void compact_journal();

  v1::Link describe(const OverlayLink& link, std::span<const Path> known_paths);
  void publish(v1::Event::Action action, const OverlayLink& link);
  void publish_events();
  void publish_fdb_event(const FdbEvent& event);
  v1::MdbEntry describe(const MdbEntry& entry) const;
  v1::Neighbour describe(const Neighbour& neighbour) const;
  static v1::VniEntry describe(const std::string& name, Vni number, const OverlayVni& vni);

  std::size_t flush(const OverlayLink& link, const v1::FlushFdbRequest& request, const FdbFilter& filter);
  Result<std::vector<LinkId>> ids_of(const std::string& dev);
  void append_tables(std::vector<v1::StateRecord>& records);
  void append_vnis(const OverlayLink& link, std::vector<v1::StateRecord>& records) const;
  void append_link_tables(std::vector<v1::StateRecord>& records);
  Result<LinkId> link_id(const std::string& dev, std::optional<Vni> vni);
  void set_members(const OverlayLink& link);
  Result<void> join(const OverlayLink& link, OverlayVni& vni);
  void leave(const OverlayLink& link, OverlayVni& vni);
  LinkCounters counters_of(const OverlayLink& link) const;
  // What a request asks for, without remembering it.
  Result<void> apply(const v1::VniChange& change);
  Result<void> apply(const v1::NexthopChange& change);
  Result<void> apply(const v1::MdbChange& change);
  Result<void> apply(const v1::NeighbourChange& change);
  Result<void> apply(const v1::Remote& remote);
  Result<void> change_vni(OverlayLink& link, const v1::VniChange& change);
  void follow_neighbours(OverlayLink& link);
  void neighbour_changed(const NeighbourEntry& entry);

  std::optional<Vni> vni_of(LinkId id) const;
  void tell_control_planes(std::span<const StationEvent> stations, std::span<const FdbEvent> entries);
  void mark_external_floods(std::vector<FdbEntry>& entries) const;

  Loop& loop_;
  Rtnetlink& rtnetlink_;
  NeighbourTable& system_neighbours_;
  DataPlane& data_plane_;
  Journal& journal_;
  Memberships memberships_;
  Publish publish_;

  Links links_;                       // by name
  std::map<LinkId, LinkName> names_;  // the other way round
  // What links stand on, and how many do: a notification that concerns none of them must not cost a walk over
  // all.
  std::map<std::string, std::size_t> underlays_;
  std::map<IpAddr, std::size_t> locals_;
  std::map<IfIndex, std::uint32_t> mtus_;   // of every interface that was heard of
  std::map<IfIndex, std::string> devices_;  // every interface of the namespace, and those in gone_
  std::map<std::string, IfIndex> gone_;     // interfaces that are missing and that entries go via
  std::map<std::uint8_t, std::string> source_names_;
  std::map<LinkId, std::map<IpAddr, std::uint8_t>>
      external_floods_;  // remotes of flood lists, and which source's
  ControlWatcher* watcher_ = nullptr;
  v1::Config config_;                                // applied last
  std::map<std::string, v1::ConfiguredLink> unmet_;  // configured links that could not be made yet
  std::vector<v1::FdbChange> waiting_;               // remembered entries whose `via` device is missing
  Timer retry_{loop_};
  Timer look_{loop_};
  KernelLinks kernel_;  // whose data path is the kernel's
};

}  // namespace vtep
