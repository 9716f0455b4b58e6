// The keys of one link in the configuration that make up its LinkSpec: the options of `vtep link add … type
// vxlan`.
#pragma once

#include "daemon/yaml_reader.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Refuses what contradicts itself; what was refused is not in the answer.
v1::LinkSpec read_link_spec(const YamlMap& map);

}  // namespace vtep
