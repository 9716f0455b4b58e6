// The words behind `type vxlan`, as `ip link add|set … type vxlan` takes them, and vtep's own.
#pragma once

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Reads to the end of the line into `spec`, and fails `words` where they contradict each other. With
/// `is_new` what a new link cannot do without must be there: the id, and the device of a group.
void read_vxlan(Words& words, bool is_new, v1::LinkSpec& spec);

}  // namespace vtep
