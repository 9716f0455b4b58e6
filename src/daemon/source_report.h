// What `vtep source` is told of a source, whatever it is.
#pragma once

#include <string>

#include "base/time.h"
#include "control/rib.h"
#include "control/source_status.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

v1::Source report_source(const std::string& name, const SourceStatus& status, const Rib::SourceCounts& counts,
                         Time now);

}  // namespace vtep
