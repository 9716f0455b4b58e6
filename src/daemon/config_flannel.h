// `flannel:` in the configuration: the network that this host is a node of.
#pragma once

#include "daemon/yaml_reader.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

/// Refuses what contradicts itself; whether files and devices are there is for the daemon to find out.
v1::FlannelConfig read_flannel(const YamlField& field);

}  // namespace vtep
