// An interface as the kernel reports it, in the words of the API.
#pragma once

#include <string>

#include "io/interface.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `master` is the name of the bridge that the interface is a port of; empty: none.
v1::NetDevice to_proto(const Interface& interface, const std::string& master);

}  // namespace vtep
