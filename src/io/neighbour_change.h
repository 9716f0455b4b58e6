// A notification of the kernel's neighbour tables, whichever of them: RTM_NEWNEIGH or RTM_DELNEIGH.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace vtep {

/// `parse` reads the payload; `removed` is what the type says. Empty: another type, or nothing for us.
template <typename Entry>
std::optional<Entry> take_neighbour_change(std::uint16_t type, ByteView payload,
                                           std::optional<Entry> (*parse)(ByteView)) {
  if (type != RTM_NEWNEIGH && type != RTM_DELNEIGH) return std::nullopt;
  auto entry = parse(payload);
  if (entry) entry->removed = type == RTM_DELNEIGH;
  return entry;
}

}  // namespace vtep
