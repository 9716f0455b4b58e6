// The numbers by which the engine's tables speak of links and of time.
#pragma once

#include <cstdint>

namespace vtep {

/// A link's number inside the engine: small, dense, reused after the link is gone.
using LinkId = std::uint32_t;

/// Whole seconds on the engine's monotonic scale.
using Seconds = std::uint32_t;

}  // namespace vtep
