// Values of the configuration that stand in several places. Each refuses the field and returns an empty value
// if there is another one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/mac.h"
#include "daemon/yaml_reader.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// 0–16777215.
std::uint32_t vni_of(const YamlField& field);
IpAddr unicast_of(const YamlField& field);
IpAddr group_of(const YamlField& field);
/// The MAC address of one station.
MacAddr station_of(const YamlField& field);

/// user or kernel.
v1::Datapath datapath_of(const YamlField& field);

/// A word that is not empty; empty if the key is not there.
std::string read_word(const YamlMap& map, std::string_view key, std::string_view wanted);

}  // namespace vtep
