// All that is said about one kind of fact: by key, each source's claims; and for each key the one that
// counts.
//
// A source may make several claims about one key, as when two hosts say that a MAC is theirs: each claim has
// an origin, which is the source's own number for whoever said it. The claim that counts is the strongest
// source's; between those of one strength the one that is not doomed, then the fact's own order decides, then
// the lower source and origin, so that it never depends on who spoke first.
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "control/fact.h"

namespace vtep {

/// Small, and never 0: the number under which the FDB remembers who said what.
using SourceId = std::uint8_t;
/// Whoever a source heard it from.
using Origin = std::uint32_t;

/// A source's word against another's: the higher counts.
enum class Strength : std::uint8_t { kControlPlane = 1, kOperator = 2 };

struct Claimant {
  SourceId source = 0;
  Strength strength = Strength::kControlPlane;
  Origin origin = 0;
};

template <typename Fact>
class FactTable {
 public:
  using Key = typename Fact::Key;
  struct Claim {
    Claimant by;
    Fact fact;
    std::uint32_t round = 0;  ///< of the source, in which it was last said
    std::uint64_t doomed =
        0;  ///< withdrawn, but not yet believed, so it still counts; the number of that withdrawal
  };
  enum class Said { kNew, kChanged, kAgain };

  Said say(const Claimant& by, const Key& key, const Fact& fact, std::uint32_t round) {
    std::vector<Claim>& claims = claims_[key];
    const auto old = find(claims, by.source, by.origin);
    if (old == claims.end()) {
      claims.push_back({by, fact, round});
      changed_.insert(key);
      return Said::kNew;
    }
    old->round = round;
    old->doomed = 0;
    if (old->fact == fact) return Said::kAgain;
    old->fact = fact;
    changed_.insert(key);
    return Said::kChanged;
  }

  /// The source's claim; null if it makes none. Valid until the next change.
  Claim* claim(SourceId source, Origin origin, const Key& key) {
    const auto found = claims_.find(key);
    if (found == claims_.end()) return nullptr;
    const auto claim = find(found->second, source, origin);
    return claim == found->second.end() ? nullptr : &*claim;
  }
  /// False: it was not said.
  bool unsay(SourceId source, Origin origin, const Key& key) {
    const auto found = claims_.find(key);
    if (found == claims_.end()) return false;
    const auto claim = find(found->second, source, origin);
    if (claim == found->second.end()) return false;
    found->second.erase(claim);
    if (found->second.empty()) claims_.erase(found);
    changed_.insert(key);
    return true;
  }

  /// Null: nobody says anything. Valid until the next change.
  const Claim* winner(const Key& key) const {
    const auto found = claims_.find(key);
    return found == claims_.end() ? nullptr : &*std::ranges::max_element(found->second, is_weaker);
  }
  /// All that is said about it, in no order.
  std::vector<Claim> claims(const Key& key) const {
    const auto found = claims_.find(key);
    return found == claims_.end() ? std::vector<Claim>() : found->second;
  }

  /// Calls `visit` with every (key, claim) of a source that was last said in a round before this one.
  void for_each_before(SourceId source, std::uint32_t round,
                       const std::function<void(const Key&, const Claim&)>& visit) const {
    for (const auto& [key, claims] : claims_) {
      for (const Claim& claim : claims) {
        if (claim.by.source == source && claim.round != round) visit(key, claim);
      }
    }
  }
  /// Every key of which something is said.
  void for_each(const std::function<void(const Key&, const Claim& winner)>& visit) const {
    for (const auto& [key, claims] : claims_) visit(key, *std::ranges::max_element(claims, is_weaker));
  }
  std::size_t size() const { return claims_.size(); }

  /// Keys of which something else may be true than at the last call.
  std::vector<Key> take_changed() {
    std::vector<Key> keys(changed_.begin(), changed_.end());
    changed_.clear();
    return keys;
  }
  bool has_changed() const { return !changed_.empty(); }

 private:
  static auto find(std::vector<Claim>& claims, SourceId source, Origin origin) {
    return std::ranges::find_if(
        claims, [&](const Claim& claim) { return claim.by.source == source && claim.by.origin == origin; });
  }
  static bool is_weaker(const Claim& a, const Claim& b) {
    if (a.by.strength != b.by.strength) return a.by.strength < b.by.strength;
    if ((a.doomed == 0) != (b.doomed == 0)) return a.doomed != 0;
    if (Fact::beats(b.fact, a.fact)) return true;
    if (Fact::beats(a.fact, b.fact)) return false;
    return std::pair(a.by.source, a.by.origin) > std::pair(b.by.source, b.by.origin);
  }

  std::unordered_map<Key, std::vector<Claim>, FactHash> claims_;
  std::unordered_set<Key, FactHash> changed_;
};

}  // namespace vtep
