// Reads the payload of RTM_NEWNEIGH and RTM_DELNEIGH: a struct ndmsg and attributes. Pure.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "io/neighbour.h"

namespace vtep {

/// Empty if `payload` is damaged, or about no IPv4 or IPv6 neighbour (a bridge's FDB speaks through these
/// messages, too; proxy entries are none of a neighbour). `removed` is left false: the message's type says
/// it.
std::optional<NeighbourEntry> parse_neighbour(ByteView payload);

}  // namespace vtep
