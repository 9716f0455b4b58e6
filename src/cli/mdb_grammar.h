// The words behind `vtep mdb COMMAND`, as `bridge mdb` takes them for vxlan devices. Pure.
#pragma once

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `dev DEV [port DEV] grp GROUP [src SRC] dst IP [dst_port P] [vni V] [src_vni V] [via DEV] [permanent]`
Parsed<v1::MdbChange> parse_mdb_change(v1::ChangeOperation operation, Words& words);
/// `[dev DEV]`
Parsed<v1::ListMdbRequest> parse_mdb_show(Words& words);

}  // namespace vtep
