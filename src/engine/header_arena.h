// Memory for the headers of segments: taken piece by piece, given back all at once.
//
// A piece stays where it is until clear(), whatever is taken after it. Chunks are kept for the next round, so
// that nothing is allocated once the largest round has been seen. Not thread-safe: it belongs to one thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace vtep {

class HeaderArena {
 public:
  /// The headers of some twenty super-frames.
  static constexpr std::size_t kChunkSize = 64 * 1024;

  /// Bytes that hold whatever was there. Precondition: size <= kChunkSize.
  ByteSpan take(std::size_t size) {
    assert(size <= kChunkSize);
    if (size > left_) next_chunk();
    const ByteSpan piece(next_, size);
    next_ += size;
    left_ -= size;
    return piece;
  }

  /// Everything that was taken is gone.
  void clear() {
    used_ = 0;
    left_ = 0;
  }

  /// Bytes held, used or not.
  std::size_t capacity() const { return chunks_.size() * kChunkSize; }

 private:
  void next_chunk() {
    if (used_ == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kChunkSize));
    }
    next_ = chunks_[used_].get();
    left_ = kChunkSize;
    ++used_;
  }

  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::size_t used_ = 0;  // chunks, the current one included
  std::uint8_t* next_ = nullptr;
  std::size_t left_ = 0;  // bytes behind next_
};

}  // namespace vtep
