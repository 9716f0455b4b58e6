// Neighbours of the overlay as `ip neigh` prints those of the kernel (iproute2 6.1). Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `ip neigh` names the device unless somebody asked for that device only.
enum class NeighbourForm { kWithDevice, kWithoutDevice };

/// With a new line at its end. What a person set is PERMANENT, what was heard REACHABLE; with -s there is how
/// many seconds ago.
std::string neighbour_text(const v1::Neighbour& neighbour, const Format& format, NeighbourForm form);
/// The same with the keys of `ip -j neigh`.
Json neighbour_json(const v1::Neighbour& neighbour, const Format& format, NeighbourForm form);

}  // namespace vtep
