// Reads the payload of RTM_NEWNEIGH and RTM_DELNEIGH of the family AF_BRIDGE: a struct ndmsg and attributes.
// Pure.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "io/bridge_entry.h"

namespace vtep {

/// Empty if `payload` is damaged, or of another family. `removed` is left false: the message's type says it.
std::optional<BridgeEntry> parse_bridge_entry(ByteView payload);

}  // namespace vtep
