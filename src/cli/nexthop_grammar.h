// The words behind `vtep nexthop COMMAND`, as `ip nexthop … fdb` takes them. Pure.
#pragma once

#include <cstdint>

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `id ID {via IP | group ID[,WEIGHT][/ID[,WEIGHT]…]} [fdb]`; to delete, the id says it all.
Parsed<v1::NexthopChange> parse_nexthop_change(v1::ChangeOperation operation, Words& words);

struct NexthopShow {
  std::uint32_t id = 0;  ///< 0: all
  bool groups = false;   ///< only groups

  bool shows(const v1::Nexthop& nexthop) const { return !groups || !nexthop.members().empty(); }
};
/// `[id ID] [groups] [fdb]`
Parsed<NexthopShow> parse_nexthop_show(Words& words);
/// `id ID`
Parsed<NexthopShow> parse_nexthop_get(Words& words);

}  // namespace vtep
