// Forwarding entries as `bridge fdb` prints those of the kernel's vxlan driver (iproute2 6.1). Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `bridge` names the device of an entry unless somebody asked for that device only.
enum class FdbForm { kWithDevice, kWithoutDevice };

/// With a new line at its end. The flag `frozen` is vtep's own and stands behind those of `bridge`.
std::string fdb_text(const v1::FdbEntry& entry, const Format& format, FdbForm form);
/// The same with the keys of `bridge -j`.
Json fdb_json(const v1::FdbEntry& entry, const Format& format, FdbForm form);

}  // namespace vtep
