// The project's version, which CMake hands to the compiler.
#pragma once

#include <string_view>

namespace vtep {

inline constexpr std::string_view kVersion = VTEP_VERSION;

}  // namespace vtep
