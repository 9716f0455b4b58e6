// The transcripts in testdata/: what iproute2 printed, and the same values as messages of the API. For tests.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// "$ ip -d link show vxlan0", and what it printed.
struct Exchange {
  std::string command;
  std::string output;

  /// The command's options, read by vtep's own parser.
  Format format() const;
};

/// The first exchange of a file is one that prints all values, as JSON.
std::vector<Exchange> read_transcript(const std::string& file);

/// What `ip -j -d -s -s link` says, as messages.
std::vector<v1::Link> links_of(const std::string& json);
/// What `bridge -j -s fdb` says, as messages.
std::vector<v1::FdbEntry> entries_of(const std::string& json);
/// What `bridge -j vni show` says, one entry a VNI.
v1::ListVnisResponse vnis_of(const std::string& json);
/// What `ip -j nexthop show` says.
std::vector<v1::Nexthop> nexthops_of(const std::string& json);
/// What `ip -j neigh show dev DEV` says.
std::vector<v1::Neighbour> neighbours_of(const std::string& json);

}  // namespace vtep
