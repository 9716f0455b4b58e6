// Nexthops as `ip nexthop` prints those of forwarding tables (iproute2 6.1). Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// With a new line at its end.
std::string nexthop_text(const v1::Nexthop& nexthop, const Format& format);
/// The same with the keys of `ip -j nexthop`.
Json nexthop_json(const v1::Nexthop& nexthop, const Format& format);

}  // namespace vtep
