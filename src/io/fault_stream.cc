#include "io/fault_stream.h"

namespace vtep {

bool FaultDice::happens(double probability) {
  // 53 random bits make a double in [0, 1).
  return static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
}

bool FaultDice::damage(std::vector<std::uint8_t>& bytes, std::size_t keep) {
  const bool corrupt = happens(plan_.corrupt);
  const bool truncate = happens(plan_.truncate) && bytes.size() > keep;
  if (corrupt && !bytes.empty()) {
    const std::uint64_t bit = random_() % (bytes.size() * 8);
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
  }
  if (truncate) bytes.resize(keep + random_() % (bytes.size() - keep));
  return truncate;
}

}  // namespace vtep
