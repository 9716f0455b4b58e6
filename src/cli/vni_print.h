// VNIs of vnifilter links as `bridge vni show` prints them (iproute2 6.1), and the VLAN of each. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// The table with its heading: a paragraph a link. VNIs that follow each other, as do their VLANs, and are
/// alike in the rest, share a line; with -s each has its own, and two with its counters.
std::string vnis_text(const v1::ListVnisResponse& vnis, const Format& format);
/// One element a link: {"ifname", "vnis": [ {"vni", "vniEnd", "group" or "remote", "vlan", "vlanEnd"} ]}.
std::vector<Json> vnis_json(const v1::ListVnisResponse& vnis, const Format& format);

}  // namespace vtep
