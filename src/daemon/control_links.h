// The links that control planes fill (`control`): what happens on them becomes local facts, and the RIB's
// winners become entries, flood lists and neighbours of their tables.
//
// Whatever may have changed is noted by key, and soon afterwards all that is noted is compared with what is
// true now and written. So it does not matter who changed something: a source, this host, or a person who
// deletes an entry.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "control/local_facts.h"
#include "control/rib.h"
#include "daemon/control_words.h"
#include "daemon/overlay.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

class ControlLinks final : public ControlWatcher {
 public:
  /// All must outlive it. `changed` is called when there are other links, or some with other settings.
  ControlLinks(Loop& loop, Overlay& overlay, Rib& rib, LocalFacts& local, std::function<void()> changed);
  /// Tables stay as they are.
  ~ControlLinks() override;
  ControlLinks(const ControlLinks&) = delete;
  ControlLinks& operator=(const ControlLinks&) = delete;

  /// Which sources there are, by the names that links call them.
  void set_sources(std::map<std::string, SourceId> sources);
  /// The RIB, or a link's interface, may have changed.
  void look_soon();
  /// Looks at links, and at all that is noted.
  void look();

  void links_changed() override;
  void station_changed(Vni vni, const StationEvent& event) override;
  void entry_gone(Vni vni, const FdbEntry& entry) override;

 private:
  /// Where a VNI is on this host.
  struct Place {
    std::string dev;
    MacAddr address;              // of the interface: a station that is always there
    std::set<IpAddr> ips{};       // that it has
    std::set<Prefix> prefixes{};  // that are announced
  };

  void follow_links();
  void follow_interface(Vni vni, Place& place, const ControlledVni& link);
  void follow_prefixes(Vni vni, Place& place, const ControlledVni& link);
  void note_all(const std::set<Vni>& vnis);
  /// The VNI is here no more, or not for control planes: what they said leaves its tables.
  void leave(Vni vni);
  void take_changes();
  ExternalMac wanted(const MacFact::Key& key);
  ExternalFlood wanted(const VtepFact::Key& key) const;
  ExternalNeighbour wanted(const NeighbourFact::Key& key) const;
  /// Of all that is noted here.
  template <typename Key>
  void write(std::unordered_set<Key, FactHash>& noted);
  template <typename Wanted>
  void write_to(Vni vni, const Place& place, const std::vector<Wanted>& wanted);

  Loop& loop_;
  Overlay& overlay_;
  Rib& rib_;
  LocalFacts& local_;
  const std::function<void()> changed_;
  const LocalFacts::ListenerId listener_;
  std::map<std::string, SourceId> sources_;
  std::map<Vni, Place> places_;
  bool links_may_differ_ = true;
  Timer soon_;

  // Noted: what may not be in the tables as it should.
  std::unordered_set<MacFact::Key, FactHash> macs_;
  std::unordered_set<VtepFact::Key, FactHash> vteps_;
  std::unordered_set<NeighbourFact::Key, FactHash> neighbours_;
};

}  // namespace vtep
