// The words behind `vtep neigh COMMAND`, as `ip neigh` takes them. Pure.
#pragma once

#include <string>

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `[to] IP [lladdr MAC] dev DEV [router] [src_vni V] [nud permanent]`; only to delete may the MAC be
/// missing.
Parsed<v1::NeighbourChange> parse_neighbour_change(v1::ChangeOperation operation, Words& words);

struct NeighbourShow {
  std::string dev;  ///< empty: every link
  std::string ip;   ///< empty: all
};
/// `[[to] IP] [dev DEV]`
Parsed<NeighbourShow> parse_neighbour_show(Words& words);

}  // namespace vtep
