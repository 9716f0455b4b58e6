// The routing information base: everything that the control planes say, and what follows from it.
//
// Sources say facts and withdraw them; for each key the strongest claim counts (fact_table.h). Whoever
// programs a data path takes the changed keys and asks for their winners: it never sees who contradicted
// whom.
//
// A source that has lost its connection keeps its facts: what forwards goes on forwarding. When it is back,
// it says everything again between begin_round() and end_round(), and what it no longer says is withdrawn.
//
// Withdrawals are damped: one that would leave a source without most of what it said a moment ago is believed
// only after a while, for it is more often a broken controller, or another cluster's database, than a network
// that is gone.
//
// Not thread-safe. Knows no clock: the time is passed in.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "base/time.h"
#include "control/fact.h"
#include "control/fact_table.h"

namespace vtep {

/// Our own choice: within `window`, a source may withdraw `free` facts, or half of those it had when the
/// window began, whichever is more; what it withdraws beyond that is believed after `hold`.
struct WithdrawalLimits {
  std::size_t free = 32;
  Duration window = std::chrono::seconds(10);
  Duration hold = std::chrono::seconds(60);
};

class Rib {
 public:
  struct SourceCounts {
    std::size_t facts = 0;          ///< claims that it makes now, the doomed among them
    std::size_t doomed = 0;         ///< withdrawn and not yet believed
    std::uint64_t said = 0;         ///< new or changed since it was added
    std::uint64_t withdrawn = 0;    ///< and gone
    std::uint64_t damped = 0;       ///< withdrawals that had to wait, all told
    std::optional<Time> changed{};  ///< when it last said or withdrew something
  };

  explicit Rib(const WithdrawalLimits& limits = {}) : limits_(limits) {}

  /// At most 63 at a time. 0: there is no number left.
  SourceId add_source(Strength strength);
  /// With all that it said, at once: somebody here has decided that.
  void remove_source(SourceId source);

  template <typename Fact>
  void say(SourceId source, Origin origin, const typename Fact::Key& key, const Fact& fact, Time now) {
    Source& from = sources_.at(source);
    auto& facts = table<Fact>();
    auto* const old = facts.claim(source, origin, key);
    if (old != nullptr && old->doomed != 0) --from.counts.doomed;
    const auto said = facts.say({source, from.strength, origin}, key, fact, from.round);
    using Said = typename FactTable<Fact>::Said;
    if (said == Said::kAgain) return;
    if (said == Said::kNew) ++from.counts.facts;
    ++from.counts.said;
    from.counts.changed = now;
  }
  /// Harmless if it was not said.
  template <typename Fact>
  void unsay(SourceId source, Origin origin, const typename Fact::Key& key, Time now) {
    Source& from = sources_.at(source);
    auto* const claim = table<Fact>().claim(source, origin, key);
    if (claim == nullptr || claim->doomed != 0) return;
    if (may_withdraw(from, now)) return withdraw<Fact>(from, source, origin, key, now);
    claim->doomed = ++last_doomed_;
    ++from.counts.doomed;
    ++from.counts.damped;
    doomed_.push_back({now + limits_.hold, claim->doomed, source, origin, key});
  }

  /// From now on the source says everything anew.
  void begin_round(SourceId source) { ++sources_.at(source).round; }
  /// It has: what it has not said again is withdrawn.
  void end_round(SourceId source, Time now);

  FactTable<VtepFact>& vteps() { return vteps_; }
  FactTable<MacFact>& macs() { return macs_; }
  FactTable<NeighbourFact>& neighbours() { return neighbours_; }
  FactTable<PrefixFact>& prefixes() { return prefixes_; }

  const SourceCounts& counts(SourceId source) const { return sources_.at(source).counts; }
  /// Whether anything may be true that was not when the tables' changes were last taken.
  bool has_changed() const {
    return vteps_.has_changed() || macs_.has_changed() || neighbours_.has_changed() ||
           prefixes_.has_changed();
  }
  /// When tick() has work; empty: never.
  std::optional<Time> next_deadline() const;
  /// Believes withdrawals that have waited long enough.
  void tick(Time now);

 private:
  static constexpr SourceId kMaxSources = 63;  // what an FDB entry has bits for

  struct Source {
    Strength strength = Strength::kControlPlane;
    std::uint32_t round = 0;
    Time window_start{};
    std::size_t window_facts = 0;      // what it had then
    std::size_t window_withdrawn = 0;  // and what it has withdrawn since
    SourceCounts counts;
  };
  struct Doomed {
    Time due;
    std::uint64_t number;
    SourceId source;
    Origin origin;
    std::variant<VtepFact::Key, MacFact::Key, NeighbourFact::Key, PrefixFact::Key> key;
  };

  template <typename Fact>
  FactTable<Fact>& table() {
    return std::get<FactTable<Fact>&>(std::tie(vteps_, macs_, neighbours_, prefixes_));
  }
  /// What `visit` is called with: every table, as FactTable<Fact>&.
  template <typename Visit>
  void for_each_table(Visit visit) {
    std::apply([&](auto&... tables) { (visit(tables), ...); },
               std::tie(vteps_, macs_, neighbours_, prefixes_));
  }
  template <typename Fact>
  void withdraw(Source& from, SourceId source, Origin origin, const typename Fact::Key& key, Time now) {
    if (!table<Fact>().unsay(source, origin, key)) return;
    --from.counts.facts;
    ++from.counts.withdrawn;
    from.counts.changed = now;
  }
  bool may_withdraw(Source& from, Time now) const;

  const WithdrawalLimits limits_;
  std::map<SourceId, Source> sources_;
  std::deque<Doomed> doomed_;  // the earliest first
  std::uint64_t last_doomed_ = 0;
  FactTable<VtepFact> vteps_;
  FactTable<MacFact> macs_;
  FactTable<NeighbourFact> neighbours_;
  FactTable<PrefixFact> prefixes_;
};

}  // namespace vtep
