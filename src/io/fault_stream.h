// A bad wire: decides what becomes of every item that passes. Deterministic: the same plan and the same items
// give the same result on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace vtep {

/// Probabilities from 0 to 1, each thrown on its own for every item.
struct FaultPlan {
  double drop = 0;
  double duplicate = 0;
  double reorder = 0;   ///< the item is held back and follows the next one
  double corrupt = 0;   ///< one bit is flipped
  double truncate = 0;  ///< cut to a random length
  std::uint64_t seed = 1;
};

class FaultDice {
 public:
  explicit FaultDice(const FaultPlan& plan) : plan_(plan), random_(plan.seed) {}

  bool drop() { return happens(plan_.drop); }
  bool duplicate() { return happens(plan_.duplicate); }
  bool reorder() { return happens(plan_.reorder); }
  /// Changes the bytes or leaves them. True if they were cut, never to less than `keep`: what described their
  /// layout no longer holds then.
  bool damage(std::vector<std::uint8_t>& bytes, std::size_t keep);

 private:
  bool happens(double probability);

  const FaultPlan plan_;
  std::mt19937_64 random_;  // its numbers, other than those of the distributions, are the same everywhere
};

/// `Meta` travels with the bytes. It has `void on_truncated()`, and `kKeep`: the bytes that are never cut
/// off.
template <typename Meta>
class FaultStream {
 public:
  struct Item {
    std::vector<std::uint8_t> bytes;
    Meta meta;
  };

  explicit FaultStream(const FaultPlan& plan) : dice_(plan) {}

  /// Appends what comes out now: nothing, the item, or several. A held item whose successor never comes
  /// stays.
  void pass(Item item, std::vector<Item>& out) {
    if (dice_.drop()) return;
    if (dice_.damage(item.bytes, Meta::kKeep)) item.meta.on_truncated();
    const bool twice = dice_.duplicate();
    const bool hold = dice_.reorder();
    if (hold && !held_) {
      held_ = std::move(item);
      return;
    }
    if (twice) out.push_back(item);
    out.push_back(std::move(item));
    if (held_) {
      out.push_back(*std::move(held_));
      held_.reset();
    }
  }

 private:
  FaultDice dice_;
  std::optional<Item> held_;
};

}  // namespace vtep
