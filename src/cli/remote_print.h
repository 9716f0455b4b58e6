// What is known about the way to a remote VTEP, as `vtep remote show` and `vtep -d link show` print it. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// "10.0.0.2 path mtu 1400 expires 512sec noudpcsum": what is not known, or the link's own, is left out.
std::string path_text(const v1::Remote& remote);
/// {"address", "path_mtu", "expires", "udp_csum"}
Json path_json(const v1::Remote& remote);

/// The same, and how many entries name it; one line with its end.
std::string remote_text(const v1::Remote& remote);
Json remote_json(const v1::Remote& remote);

}  // namespace vtep
