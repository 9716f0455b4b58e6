// Links as `ip link` prints those of the kernel's vxlan driver (iproute2 6.1). Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "cli/options.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `ip monitor link` leaves out what `ip link show` does not: the link mode, the queue's length, how IPv6
/// makes addresses, the counters.
enum class LinkForm { kShow, kMonitor };

/// With a new line at its end. A link with a `trouble` has one more line than `ip` would print, -d one for
/// each remote VTEP of which something is known, and -s -s -s adds vtep's own counters.
std::string link_text(const v1::Link& link, const Format& format, LinkForm form);
/// The same with the keys of `ip -j`.
Json link_json(const v1::Link& link, const Format& format);

}  // namespace vtep
