// Whether anybody listens on a unix socket. gRPC says only "failed to connect"; a person wants to know why.
#pragma once

#include <string>

#include "base/result.h"

namespace vtep {

/// Connects and hangs up. The error's sentence says what to do.
Result<void> probe_socket(const std::string& path);

}  // namespace vtep
