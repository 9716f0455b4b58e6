// Named frames with their bytes and what tcpdump says about them: testdata/frames.txt, written by
// testdata/make_frames.py. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vtep {

struct GoldenFrame {
  std::string name;
  std::vector<std::uint8_t> bytes;
  std::string text;  ///< without a line end behind the last line
};

/// All of them, in the order of the file. Ends the program if the file is missing or empty.
const std::vector<GoldenFrame>& golden_frames();

/// The bytes of one. Ends the program if there is no such name. They live as long as the program.
ByteView golden_frame(std::string_view name);

/// The bytes of the inner frame of one that is VXLAN over IPv4 without options.
ByteView golden_inner_frame(std::string_view name);

}  // namespace vtep
