// What the checks of any_bytes.h share. Internal to any_bytes*.cc.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace vtep {

inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", promise);
  std::abort();
}

/// Emission must write every byte, so the buffer starts out with a value that no field expects.
inline std::vector<std::uint8_t> dirty(std::size_t size) {
  return std::vector<std::uint8_t>(size, 0xff);
}

}  // namespace vtep
