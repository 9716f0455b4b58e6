// Big-endian loads and stores. The only place where byte order is swapped: every type above holds host order.
//
// None of these check bounds; a view proves its length once before it calls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vtep {

/// Bytes that are read but not owned.
using ByteView = std::span<const std::uint8_t>;
/// Bytes that are written but not owned.
using ByteSpan = std::span<std::uint8_t>;

constexpr std::uint16_t load_be16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

constexpr std::uint32_t load_be24(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 16 | std::uint32_t{p[1]} << 8 | p[2];
}

constexpr std::uint32_t load_be32(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | load_be24(p + 1);
}

constexpr std::uint64_t load_be48(const std::uint8_t* p) {
  return std::uint64_t{load_be16(p)} << 32 | load_be32(p + 2);
}

constexpr std::uint64_t load_be64(const std::uint8_t* p) {
  return std::uint64_t{load_be32(p)} << 32 | load_be32(p + 4);
}

constexpr void store_be16(std::uint8_t* p, std::uint16_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 8);
  p[1] = static_cast<std::uint8_t>(value);
}

constexpr void store_be24(std::uint8_t* p, std::uint32_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 16);
  store_be16(p + 1, static_cast<std::uint16_t>(value));
}

constexpr void store_be32(std::uint8_t* p, std::uint32_t value) {
  store_be16(p, static_cast<std::uint16_t>(value >> 16));
  store_be16(p + 2, static_cast<std::uint16_t>(value));
}

constexpr void store_be48(std::uint8_t* p, std::uint64_t value) {
  store_be16(p, static_cast<std::uint16_t>(value >> 32));
  store_be32(p + 2, static_cast<std::uint32_t>(value));
}
constexpr void store_be64(std::uint8_t* p, std::uint64_t value) {
  store_be32(p, static_cast<std::uint32_t>(value >> 32));
  store_be32(p + 4, static_cast<std::uint32_t>(value));
}

}  // namespace vtep
