#include "cli/link_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace vtep {

namespace {

// The columns are shared by all lines of one link: bytes, packets, and so on. Error lines leave the first
// empty.
constexpr std::size_t kColumns = 6;
using Numbers = std::array<std::uint64_t, kColumns>;
using Titles = std::array<std::string_view, kColumns>;
using Widths = std::array<std::size_t, kColumns>;

constexpr Widths kLeastWidths = {10, 7, 6, 7, 7, 7};
// Where iproute2 would head a seventh column, for compressed packets.
constexpr std::size_t kLastColumn = 11;

struct Block {
  std::string_view head;
  Titles titles;
  Numbers numbers;
  bool is_error;
};

void widen(Widths& widths, const Block& block) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    widths[i] = std::max(widths[i], std::to_string(block.numbers[i]).size());
  }
}

std::string render(const Block& block, const Widths& widths) {
  // The head stands inside the first column, which begins four characters into the line.
  std::string titles =
      fmt::format("    {}{:>{}}", block.head, block.titles[0], widths[0] - block.head.size());
  std::string numbers = "    ";
  numbers +=
      block.is_error ? std::string(widths[0] + 1, ' ') : fmt::format("{:>{}} ", block.numbers[0], widths[0]);
  for (std::size_t i = 1; i < kColumns; ++i) {
    titles += fmt::format(" {:>{}}", block.titles[i], widths[i]);
    numbers += fmt::format("{:>{}} ", block.numbers[i], widths[i]);
  }
  if (!block.is_error) titles += std::string(kLastColumn, ' ');
  return titles + '\n' + numbers + '\n';
}

}  // namespace

std::string stats_text(const v1::NetDeviceStats& s, bool with_errors) {
  const Block blocks[] = {
      {"RX:",
       {"bytes", "packets", "errors", "dropped", "missed", "mcast"},
       {s.rx_bytes(), s.rx_packets(), s.rx_errors(), s.rx_dropped(), s.rx_missed(), s.multicast()},
       false},
      {"RX errors:",
       {"", "length", "crc", "frame", "fifo", "overrun"},
       {0, s.rx_length_errors(), s.rx_crc_errors(), s.rx_frame_errors(), s.rx_fifo_errors(),
        s.rx_over_errors()},
       true},
      {"TX:",
       {"bytes", "packets", "errors", "dropped", "carrier", "collsns"},
       {s.tx_bytes(), s.tx_packets(), s.tx_errors(), s.tx_dropped(), s.tx_carrier_errors(), s.collisions()},
       false},
      {"TX errors:",
       {"", "aborted", "fifo", "window", "heartbt", "transns"},
       {0, s.tx_aborted_errors(), s.tx_fifo_errors(), s.tx_window_errors(), s.tx_heartbeat_errors(),
        s.carrier_changes()},
       true},
  };
  Widths widths = kLeastWidths;
  for (const Block& block : blocks) {
    if (with_errors || !block.is_error) widen(widths, block);
  }
  std::string text;
  for (const Block& block : blocks) {
    if (with_errors || !block.is_error) text += render(block, widths);
  }
  return text;
}

Json stats_json(const v1::NetDeviceStats& s, bool with_errors) {
  // "over_errors" stands where the text says "missed": iproute2 does so.
  Json rx = {{"bytes", s.rx_bytes()},     {"packets", s.rx_packets()},         {"errors", s.rx_errors()},
             {"dropped", s.rx_dropped()}, {"over_errors", s.rx_over_errors()}, {"multicast", s.multicast()}};
  Json tx = {{"bytes", s.tx_bytes()},
             {"packets", s.tx_packets()},
             {"errors", s.tx_errors()},
             {"dropped", s.tx_dropped()},
             {"carrier_errors", s.tx_carrier_errors()},
             {"collisions", s.collisions()}};
  if (with_errors) {
    rx["length_errors"] = s.rx_length_errors();
    rx["crc_errors"] = s.rx_crc_errors();
    rx["frame_errors"] = s.rx_frame_errors();
    rx["fifo_errors"] = s.rx_fifo_errors();
    rx["missed_errors"] = s.rx_missed();
    tx["aborted_errors"] = s.tx_aborted_errors();
    tx["fifo_errors"] = s.tx_fifo_errors();
    tx["window_errors"] = s.tx_window_errors();
    tx["heartbeat_errors"] = s.tx_heartbeat_errors();
    tx["carrier_changes"] = s.carrier_changes();
  }
  return {{"rx", std::move(rx)}, {"tx", std::move(tx)}};
}

std::string counters_text(const v1::LinkCounters& c) {
  return fmt::format(
      "    vtep: encapsulated {} bytes {} decapsulated {} bytes {} flooded {} learned {} moved {} frozen {} "
      "learn_refused {} "
      "suppressed {} too_big_answers {} reserved_bits {} dropped {}\n",
      c.encapsulated_frames(), c.encapsulated_bytes(), c.decapsulated_frames(), c.decapsulated_bytes(),
      c.flooded_frames(), c.learned(), c.moved(), c.frozen(), c.learn_refused(), c.suppressed(),
      c.too_big_answers(), c.reserved_bits(), c.dropped());
}

Json counters_json(const v1::LinkCounters& c) {
  return {{"encapsulated", {{"frames", c.encapsulated_frames()}, {"bytes", c.encapsulated_bytes()}}},
          {"decapsulated", {{"frames", c.decapsulated_frames()}, {"bytes", c.decapsulated_bytes()}}},
          {"flooded", c.flooded_frames()},
          {"learned", c.learned()},
          {"moved", c.moved()},
          {"frozen", c.frozen()},
          {"learn_refused", c.learn_refused()},
          {"suppressed", c.suppressed()},
          {"too_big_answers", c.too_big_answers()},
          {"reserved_bits", c.reserved_bits()},
          {"dropped", c.dropped()}};
}

}  // namespace vtep
