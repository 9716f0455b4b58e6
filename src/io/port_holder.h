// Who holds a UDP port? For the error message that saves somebody an hour.
#pragma once

#include <string>

#include "base/port.h"

namespace vtep {

/// A phrase such as `the kernel's vxlan device vxlan100 (VNI 100)` or `process ovs-vswitchd (pid 812)`, or
/// `another socket` when it cannot be found out. Looks only into the caller's network namespace. Slow: for
/// errors.
std::string describe_port_holder(Port port);

}  // namespace vtep
