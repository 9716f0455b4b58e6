// A control plane's source, as `vtep source show` prints it. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Some lines, with their ends; with -d what was refused, by name.
std::string source_text(const v1::Source& source, const Format& format);
Json source_json(const v1::Source& source, const Format& format);

}  // namespace vtep
