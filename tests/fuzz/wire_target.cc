// One fuzz target for each function of wire/any_bytes.h; CMakeLists.txt says which.
#include "wire/any_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vtep::VTEP_CHECK({data, size});
  return 0;
}
