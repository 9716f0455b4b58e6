// The words behind `vtep vni COMMAND`, as `bridge vni` takes them, and the VLAN of a VNI. Pure.
#pragma once

#include <vector>

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `dev DEV vni VNI[-VNI][,…] [vlan VID[-VID][,…]] [group IP | remote IP]`: one change a VNI, in the order of
/// the line. VNIs and VLANs are told apart one by one, so that there are as many of either.
Parsed<std::vector<v1::VniChange>> parse_vni_change(v1::ChangeOperation operation, Words& words);
/// `[dev DEV]`
Parsed<v1::ListVnisRequest> parse_vni_show(Words& words);

}  // namespace vtep
