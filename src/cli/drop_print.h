// The named drops of `vtep drop show`: how often, and why in one sentence. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// One paragraph a link, and one a UDP port for what belongs to no link. Drops that never happened are left
/// out unless `with_zero`.
std::string drops_text(const v1::ListDropsResponse& drops, bool with_zero);
/// One element: {"ifname" or "port", "name", "count", "description"}.
Json drop_json(const v1::DropCount& drop);

}  // namespace vtep
