// What this host says of itself to its control planes: the VNIs in which it takes part, the stations (MAC
// addresses) behind it, their IP addresses, and prefixes. Data paths report what they see; sources advertise
// what is here.
//
// A station may be claimed by several VTEPs. Who has it follows from RFC 7432 section 15: each move has a
// sequence number, and a host that sees a station which others claim takes it over with the next number. Of
// two claims with one number the lower address counts; a sticky station does not move. A station that is
// taken over and back too often is a duplicate (section 15.1): it stays with the others until it has been
// quiet for a while.
//
// Changes are told by key, not by value: whoever hears of one asks for what is true now. So nothing is lost
// when changes are looked at later, or together.
//
// Not thread-safe. Knows no clock: the time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "base/time.h"
#include "base/vni.h"
#include "control/fact.h"
#include "control/fact_table.h"

namespace vtep {

/// A VNI in which this host takes part.
struct LocalVni {
  std::vector<IpAddr> vteps;  ///< where others send its frames to: one address of each family, at least one
  std::set<SourceId> sources{};  ///< to whom it is told
  friend bool operator==(const LocalVni&, const LocalVni&) = default;
};

struct LocalStation {
  bool sticky = false;         ///< it is not expected to move (RFC 7432 section 15.2)
  std::uint32_t sequence = 0;  ///< of its moves (RFC 7432 section 7.7)
  friend bool operator==(const LocalStation&, const LocalStation&) = default;
};

/// Whose an IP address is.
struct LocalNeighbour {
  MacAddr mac;
  bool router = false;  ///< for ND
  friend bool operator==(const LocalNeighbour&, const LocalNeighbour&) = default;
};

/// Our own choice of numbers that RFC 7432 section 15.1 gives as defaults: five moves in three minutes.
struct DuplicateLimits {
  std::size_t moves = 5;
  Duration window = std::chrono::seconds(180);
};

/// A prefix that this host routes to: others reach it through the router with this MAC address.
struct LocalPrefix {
  MacAddr router;
  friend bool operator==(const LocalPrefix&, const LocalPrefix&) = default;
};

class LocalFacts {
 public:
  using Key = std::variant<Vni, MacFact::Key, NeighbourFact::Key, PrefixFact::Key>;
  using Listener = std::function<void(const Key&)>;
  using ListenerId = std::list<Listener>::const_iterator;

  /// What others claim; must outlive it.
  explicit LocalFacts(const FactTable<MacFact>& claims, const DuplicateLimits& limits = {})
      : claims_(claims), limits_(limits) {}
  LocalFacts(const LocalFacts&) = delete;
  LocalFacts& operator=(const LocalFacts&) = delete;

  // --- by whoever knows the data paths

  /// Takes part, or does so otherwise. If others are to be told of it now, all that is in it is told again.
  void set_vni(Vni vni, const LocalVni& local);
  /// With all its stations, addresses and prefixes.
  void remove_vni(Vni vni);

  enum class Sighting : std::uint8_t {
    kOurs,       ///< it is ours, perhaps since now
    kSticky,     ///< another VTEP has it, and says that it never moves
    kDuplicate,  ///< it has moved too often: it stays with the others
    kNoVni,      ///< this host does not take part there
  };
  /// The station has sent something here.
  Sighting see(const MacFact::Key& key, bool sticky, Time now);
  /// It is not here any more: aged, removed, or seen elsewhere by the data path. Its addresses go with it.
  void forget(const MacFact::Key& key);
  /// What others claim of it has changed. True: they have it, and if it was ours it is no more.
  bool yield(const MacFact::Key& key, Time now);

  /// `ip` is that station's. Ignored unless the station is ours. A change of its addresses is a change of the
  /// station, too.
  void bind(const NeighbourFact::Key& key, const LocalNeighbour& neighbour);
  void unbind(const NeighbourFact::Key& key);

  /// Ignored unless this host takes part in the VNI.
  void set_prefix(const PrefixFact::Key& key, const LocalPrefix& prefix);
  void remove_prefix(const PrefixFact::Key& key);

  /// Forgets moves that are long ago; call it every now and then. Those that are duplicates no more: what is
  /// seen of them counts again.
  std::vector<MacFact::Key> tick(Time now);

  // --- by sources

  /// Called for each change until it is ended. A listener must not change anything from within.
  ListenerId listen(Listener listener) { return listeners_.insert(listeners_.end(), std::move(listener)); }
  void end(ListenerId listener) { listeners_.erase(listener); }

  /// Of one of our stations, in their order.
  std::vector<IpAddr> addresses(const MacFact::Key& key) const;
  /// Null: it is not so. Valid until the next change.
  const LocalVni* find(Vni vni) const;
  const LocalStation* find(const MacFact::Key& key) const;
  const LocalNeighbour* find(const NeighbourFact::Key& key) const;
  const LocalPrefix* find(const PrefixFact::Key& key) const;
  /// Whether the source is told of this VNI.
  bool is_told(SourceId source, Vni vni) const;
  const std::map<Vni, LocalVni>& vnis() const { return vnis_; }
  /// Everything that the source is told of: VNIs first, then stations, addresses and prefixes.
  void for_each(SourceId source, const Listener& visit) const;

  std::size_t station_count() const { return stations_.size(); }
  /// That are not believed to be here, for they moved too often.
  std::vector<MacFact::Key> duplicates(Time now) const;

 private:
  /// When it changed between us and others.
  struct Moves {
    std::vector<Time> times;
    bool is_duplicate = false;
  };

  void changed(const Key& key) const;
  void for_each_of(Vni vni, const Listener& visit) const;
  bool note_move(const MacFact::Key& key, Time now);
  bool is_duplicate(const MacFact::Key& key, Time now) const;
  /// Whether the claim counts more than ours.
  bool loses(const LocalStation& ours, const MacFact& claim, Vni vni) const;
  void drop_addresses(const MacFact::Key& key);

  const FactTable<MacFact>& claims_;
  const DuplicateLimits limits_;
  std::list<Listener> listeners_;
  std::map<Vni, LocalVni> vnis_;
  std::unordered_map<MacFact::Key, LocalStation, FactHash> stations_;
  std::unordered_map<NeighbourFact::Key, LocalNeighbour, FactHash> neighbours_;
  std::unordered_map<PrefixFact::Key, LocalPrefix, FactHash> prefixes_;
  /// The same the other way round.
  std::unordered_map<MacFact::Key, std::set<IpAddr>, FactHash> addresses_;
  std::unordered_map<MacFact::Key, Moves, FactHash> moves_;
};

}  // namespace vtep
