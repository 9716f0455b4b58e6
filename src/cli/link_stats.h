// An interface's counters as `ip -s link` and `ip -s -s link` print them, and vtep's own. Pure.
#pragma once

#include <string>

#include "cli/json_list.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Lines with their ends. `with_errors`: the kinds of errors too (-s -s).
std::string stats_text(const v1::NetDeviceStats& stats, bool with_errors);
/// The value of "stats64".
Json stats_json(const v1::NetDeviceStats& stats, bool with_errors);

/// What only vtep counts; one line with its end.
std::string counters_text(const v1::LinkCounters& counters);
Json counters_json(const v1::LinkCounters& counters);

}  // namespace vtep
