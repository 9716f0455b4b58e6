// `mesh:` in the configuration file: VTEPs that know each other from etcd.
#pragma once

#include "daemon/yaml_reader.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

v1::MeshConfig read_mesh(const YamlField& field);

}  // namespace vtep
