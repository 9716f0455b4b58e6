// What `vtep daemon show` says. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Lines with their ends.
std::string daemon_text(const v1::Daemon& daemon);
Json daemon_json(const v1::Daemon& daemon);

}  // namespace vtep
