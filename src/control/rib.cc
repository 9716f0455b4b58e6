#include "control/rib.h"

#include <algorithm>
#include <type_traits>
#include <vector>

namespace vtep {
namespace {

template <typename Fact>
struct Said {
  Origin origin;
  typename Fact::Key key;
};

/// What a source said before the round: collected first, for withdrawing changes the table.
template <typename Fact>
std::vector<Said<Fact>> said_before(const FactTable<Fact>& facts, SourceId source, std::uint32_t round) {
  std::vector<Said<Fact>> said;
  facts.for_each_before(source, round,
                        [&](const auto& key, const auto& claim) { said.push_back({claim.by.origin, key}); });
  return said;
}

}  // namespace

SourceId Rib::add_source(Strength strength) {
  for (SourceId id = 1; id <= kMaxSources; ++id) {
    if (sources_.contains(id)) continue;
    sources_[id].strength = strength;
    return id;
  }
  return 0;
}

void Rib::remove_source(SourceId source) {
  const auto found = sources_.find(source);
  if (found == sources_.end()) return;
  for_each_table([&]<typename Fact>(FactTable<Fact>& facts) {
    for (const auto& [origin, key] : said_before(facts, source, found->second.round + 1)) {
      facts.unsay(source, origin, key);
    }
  });
  std::erase_if(doomed_, [source](const Doomed& doomed) { return doomed.source == source; });
  sources_.erase(found);
}

void Rib::end_round(SourceId source, Time now) {
  const std::uint32_t round = sources_.at(source).round;
  for_each_table([&]<typename Fact>(FactTable<Fact>& facts) {
    for (const auto& [origin, key] : said_before(facts, source, round)) {
      unsay<Fact>(source, origin, key, now);
    }
  });
}

/// And counts it.
bool Rib::may_withdraw(Source& from, Time now) const {
  if (now - from.window_start >= limits_.window) {
    from.window_start = now;
    from.window_facts = from.counts.facts;
    from.window_withdrawn = 0;
  }
  if (from.window_withdrawn >= std::max(limits_.free, from.window_facts / 2)) return false;
  ++from.window_withdrawn;
  return true;
}

std::optional<Time> Rib::next_deadline() const {
  return doomed_.empty() ? std::nullopt : std::optional(doomed_.front().due);
}

void Rib::tick(Time now) {
  while (!doomed_.empty() && doomed_.front().due <= now) {
    const Doomed doomed = doomed_.front();
    doomed_.pop_front();
    Source& from = sources_.at(doomed.source);
    std::visit(
        [&]<typename Key>(const Key& key) {
          for_each_table([&]<typename Fact>(FactTable<Fact>& facts) {
            if constexpr (std::is_same_v<Key, typename Fact::Key>) {
              const auto* const claim = facts.claim(doomed.source, doomed.origin, key);
              if (claim == nullptr || claim->doomed != doomed.number) return;  // it was said again since
              --from.counts.doomed;
              withdraw<Fact>(from, doomed.source, doomed.origin, key, now);
            }
          });
        },
        doomed.key);
  }
}

}  // namespace vtep
