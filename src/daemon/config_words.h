// Values of the configuration that stand in several places. Each refuses the field and returns an empty value
// if there is another one.
#pragma once

#include <cstdint>

#include "base/ip.h"
#include "base/mac.h"
#include "daemon/yaml_reader.h"

namespace vtep {

/// 0–16777215.
std::uint32_t vni_of(const YamlField& field);
IpAddr unicast_of(const YamlField& field);
IpAddr group_of(const YamlField& field);
/// The MAC address of one station.
MacAddr station_of(const YamlField& field);

}  // namespace vtep
