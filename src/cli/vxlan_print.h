// A link's vxlan options as `ip -d link` prints them (iproute2 6.1), and behind them vtep's own. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// "vxlan id 6000 … " with a blank at its end. What iproute2 6.1 does not know is there only where it
/// differs from the default.
std::string vxlan_text(const v1::LinkSpec& spec);
/// The value of "info_data".
Json vxlan_json(const v1::LinkSpec& spec);

}  // namespace vtep
