// Which vxlan options contradict each other, as the kernel's driver and iproute2 see it. Pure.
#pragma once

#include <string>

#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// One sentence, or empty if the words of one line go together. With `is_new` they describe a whole link, so
/// that what it cannot do without must be there too; otherwise the rest of the link is not known here.
/// Precondition: addresses are in the text form of IpAddr.
std::string vxlan_contradiction(const v1::LinkSpec& spec, bool is_new);

}  // namespace vtep
