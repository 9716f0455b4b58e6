// Multicast entries as `bridge mdb` prints those of the kernel's vxlan driver (iproute2 6.5; 6.1 does not
// know them). Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// With a new line at its end. -d adds the filter mode and who made the entry, -s the seconds until it is
/// forgotten.
std::string mdb_text(const v1::MdbEntry& entry, const Format& format);
/// One element of "mdb" with the keys of `bridge -j`, but without the interface's number.
Json mdb_entry_json(const v1::MdbEntry& entry, const Format& format);
/// The only element of what `bridge -j mdb show` prints: {"mdb": [ … ], "router": {}}.
Json mdb_json(const v1::ListMdbResponse& entries, const Format& format);

}  // namespace vtep
