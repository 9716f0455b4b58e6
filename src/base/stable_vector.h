// A growing array whose elements never move, so that readers need no lock while it grows.
//
// Thread safety: one thread at a time calls the functions that change it. Any thread may use operator[] with
// an index that was published to it after the element existed; elements look after themselves.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>

namespace vtep {

template <typename T>
class StableVector {
 public:
  StableVector() = default;
  ~StableVector() {
    for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  }
  StableVector(const StableVector&) = delete;
  StableVector& operator=(const StableVector&) = delete;

  std::size_t size() const { return size_; }

  /// Precondition: index < size() at some time before this.
  T& operator[](std::size_t index) { return at(index); }
  const T& operator[](std::size_t index) const { return at(index); }

  /// One more element, default-constructed; returns its index.
  std::size_t grow() {
    const std::size_t chunk = chunk_of(size_);
    assert(chunk < kChunks);
    if (chunks_[chunk].load(std::memory_order_relaxed) == nullptr) {
      chunks_[chunk].store(new T[kFirst << chunk](), std::memory_order_release);
    }
    return size_++;
  }

 private:
  // Chunk n holds kFirst·2ⁿ elements and begins with number kFirst·(2ⁿ − 1).
  static constexpr std::size_t kFirst = 64;
  static constexpr std::size_t kChunks = 26;  // enough for 2³²

  static std::size_t chunk_of(std::size_t index) {
    return static_cast<std::size_t>(std::bit_width(index / kFirst + 1)) - 1;
  }
  T& at(std::size_t index) const {
    const std::size_t chunk = chunk_of(index);
    T* const first = chunks_[chunk].load(std::memory_order_acquire);
    return first[index - kFirst * ((std::size_t{1} << chunk) - 1)];
  }

  std::array<std::atomic<T*>, kChunks> chunks_{};
  std::size_t size_ = 0;
};

}  // namespace vtep
