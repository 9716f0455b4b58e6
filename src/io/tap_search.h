// Finds a TAP that was left in another network namespace: by `ip link set vxlan0 netns X`, and then the
// process that held it died. Slow: looks into every namespace that has a name or a process.
#pragma once

#include <cstddef>
#include <memory>

#include "base/mac.h"
#include "base/result.h"
#include "io/tap.h"

namespace vtep {

/// Attaches to the TAP of this address that nobody holds, wherever it is but here. kNotFound: there is none.
/// kPermission: no CAP_SYS_ADMIN to look. `queues` as for Tap::open().
Result<std::unique_ptr<Tap>> find_tap_elsewhere(const MacAddr& address, std::size_t queues = 1);

}  // namespace vtep
