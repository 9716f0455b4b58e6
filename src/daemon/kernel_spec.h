// From a link's settings to what the kernel's driver is told (`datapath kernel`). Pure.
#pragma once

#include "base/ifindex.h"
#include "base/result.h"
#include "daemon/link_spec.h"
#include "io/vxlan_device.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// kInvalid names the first word that only vtep's own data path has. `device` is the underlay's, if there is
/// one.
Result<VxlanParameters> to_vxlan_parameters(const v1::LinkSpec& spec, const LinkSettings& settings,
                                            IfIndex device);

}  // namespace vtep
