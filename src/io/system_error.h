// Turns an errno into an Error.
#pragma once

#include <string_view>

#include "base/result.h"

namespace vtep {

/// `what: No such device`. EPERM and EACCES become kPermission, everything else kSystem.
Error system_error(std::string_view what, int error_number);

}  // namespace vtep
