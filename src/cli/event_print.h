// One event of `vtep monitor`, as `ip monitor link`, `ip monitor neigh`, `bridge monitor fdb` and `bridge
// monitor mdb` print theirs. Pure.
#pragma once

#include <string>

#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// With a new line at its end; empty for an event of an unknown sort. `banner`: "[LINK]", "[NEIGH]" or
/// "[MDB]" in front, as `monitor all` has it. With -j one object on one line.
std::string event_text(const v1::Event& event, const Format& format, bool banner);

}  // namespace vtep
