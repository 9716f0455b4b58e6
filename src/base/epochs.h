// When may memory go that readers without a lock may still be looking at? Epoch-based reclamation (K. Fraser,
// "Practical lock-freedom", 2004).
//
// A reader says when it begins to look at shared tables and when it has finished; between two batches it
// looks at nothing. A writer first takes a thing out of the tables, then calls retire(), which gives the time
// a number; once is_over() says so of that number, every reader that could have seen the thing has finished.
//
// Thread safety: a Reader belongs to one thread. Readers may be made at any time; the other functions of
// Epochs are called by one thread at a time (whoever holds the lock of the tables).
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace vtep {

class Epochs {
 public:
  static constexpr std::size_t kMaxReaders = 64;
  using Number = std::uint64_t;

  class Reader {
   public:
    /// Precondition: no more than kMaxReaders were made.
    explicit Reader(Epochs& epochs) : epochs_(epochs), place_(epochs.readers_[epochs.reader_count_++].since) {
      assert(epochs.reader_count_ <= kMaxReaders);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Sequentially consistent: a writer that does not see this store has taken its thing out before, as far
    // as this reader's next look is concerned.
    void enter() { place_.store(epochs_.now_.load(), std::memory_order_seq_cst); }
    void leave() { place_.store(kNotReading, std::memory_order_release); }

   private:
    Epochs& epochs_;
    std::atomic<Number>& place_;
  };

  /// The number under which something that was just taken out may go once it is_over().
  Number retire() { return now_.fetch_add(1); }
  bool is_over(Number number) const {
    for (std::size_t i = 0; i < reader_count_; ++i) {
      const Number since = readers_[i].since.load();
      if (since != kNotReading && since <= number) return false;
    }
    return true;
  }

  /// Keeps `thing` until nobody can look at it any more, and then until somebody calls this or reclaim().
  void retire(std::shared_ptr<const void> thing) {
    waiting_.emplace_back(retire(), std::move(thing));
    reclaim();
  }
  void reclaim() {
    while (!waiting_.empty() && is_over(waiting_.front().first)) waiting_.pop_front();
  }

 private:
  static constexpr Number kNotReading = 0;
  struct alignas(64) Place {
    std::atomic<Number> since = kNotReading;
  };

  std::atomic<Number> now_ = 1;
  std::atomic<std::size_t> reader_count_ = 0;
  std::array<Place, kMaxReaders> readers_;
  std::deque<std::pair<Number, std::shared_ptr<const void>>> waiting_;
};

}  // namespace vtep
