// `evpn:` in the configuration file: VTEPs that know each other by BGP.
#pragma once

#include "daemon/yaml_reader.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

v1::EvpnConfig read_evpn(const YamlField& field);

}  // namespace vtep
