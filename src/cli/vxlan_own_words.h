// The options of a link that only vtep has: words behind `type vxlan` that iproute2 does not know.
#pragma once

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Reads the next option into `spec`. False: it is none of vtep's own, and stays. These words are not
/// shortened, so that new ones of iproute2 keep their meaning.
bool read_own_option(Words& words, v1::LinkSpec& spec);

}  // namespace vtep
