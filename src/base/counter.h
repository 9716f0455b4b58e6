// A count that one thread writes and any thread may read.
//
// Thread safety: one writer; readers see some value that it has had. Not an atomic read-modify-write: that
// would cost the writer twenty times as much, for nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace vtep {

class Counter {
 public:
  Counter() = default;
  Counter(std::uint64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor): it is a number
  Counter(const Counter& other) : value_(other.get()) {}
  Counter& operator=(const Counter& other) {
    set(other.get());
    return *this;
  }
  ~Counter() = default;

  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const { return get(); }  // NOLINT(google-explicit-constructor): it is a number

  Counter& operator+=(std::uint64_t n) {
    set(get() + n);
    return *this;
  }
  Counter& operator++() { return *this += 1; }

 private:
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

  std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace vtep
