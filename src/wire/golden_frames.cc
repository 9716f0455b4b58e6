#include "wire/golden_frames.h"

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace vtep {
namespace {

[[noreturn]] void give_up(std::string_view what) {
  std::cerr << VTEP_GOLDEN_FRAMES << ": " << what << '\n';
  std::abort();
}

void append_hex(std::vector<std::uint8_t>& bytes, std::string_view line) {
  for (std::size_t i = 0; i < line.size(); i += 2) {
    std::uint8_t byte = 0;
    const char* const end = line.data() + i + 2;
    if (i + 2 > line.size() || std::from_chars(line.data() + i, end, byte, 16).ptr != end)
      give_up("bad hexadecimal");
    bytes.push_back(byte);
  }
}

std::vector<GoldenFrame> load() {
  std::vector<GoldenFrame> frames;
  std::ifstream file(VTEP_GOLDEN_FRAMES);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) {
      frames.push_back({line.substr(2), {}, {}});
    } else if (frames.empty()) {
      give_up("does not start with a name");
    } else if (line.starts_with("> ")) {
      std::string& text = frames.back().text;
      if (!text.empty()) text += '\n';
      text += line.substr(2);
    } else {
      append_hex(frames.back().bytes, line);
    }
  }
  if (frames.empty()) give_up("cannot be read, or holds no frames");
  return frames;
}

}  // namespace

const std::vector<GoldenFrame>& golden_frames() {
  static const std::vector<GoldenFrame> frames = load();
  return frames;
}

ByteView golden_frame(std::string_view name) {
  for (const GoldenFrame& frame : golden_frames()) {
    if (frame.name == name) return frame.bytes;
  }
  give_up(name);
}

ByteView golden_inner_frame(std::string_view name) {
  constexpr std::size_t kOuter = 14 + 20 + 8 + 8;
  return golden_frame(name).subspan(kOuter);
}

}  // namespace vtep
