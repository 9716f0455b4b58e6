// The words behind `vtep remote COMMAND`. Pure.
#pragma once

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `IP [udpcsum | noudpcsum | default] [mtu {N | auto}]`
Parsed<v1::Remote> parse_remote_set(Words& words);
/// `[dev DEV]`
Parsed<v1::ListRemotesRequest> parse_remote_show(Words& words);

}  // namespace vtep
