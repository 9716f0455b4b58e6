// The words behind `vtep fdb COMMAND`, as `bridge fdb` takes them. Pure: nothing is asked and nothing is
// done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// Takes the word for a change (add, append, replace, delete), which may be shortened. Empty: it was another
/// one.
std::optional<v1::FdbChange::Operation> take_fdb_operation(Words& words);
/// `[to] LLADDR dev DEV {[dst IP] [port P] [vni V] [via DEV] | nhid ID} [src_vni V] [router] [self]
/// [permanent|local|static|dynamic]`, in any order.
Parsed<v1::FdbChange> parse_fdb_change(v1::FdbChange::Operation operation, Words& words);

struct FdbShow {
  std::string dev;                   ///< empty: every link
  std::vector<v1::FdbState> states;  ///< empty: every state
  bool dynamic = false;  ///< everything but permanent entries, as `bridge fdb show dynamic` has it

  bool shows(const v1::FdbEntry& entry) const;
};
/// `[dev DEV] [state STATE] [dynamic]`
Parsed<FdbShow> parse_fdb_show(Words& words);

struct FdbGet {
  std::string mac;
  std::string dev;
  std::optional<std::uint32_t> vni;      ///< the entry's remote VNI; not set: any
  std::optional<std::uint32_t> src_vni;  ///< the VNI whose table it is; not set: any

  /// Whether `entry`, which has the MAC and the link, is one that was asked for.
  bool is(const v1::FdbEntry& entry) const;
};
/// `[to] LLADDR dev DEV [vni VNI] [src_vni VNI] [self]`
Parsed<FdbGet> parse_fdb_get(Words& words);

/// `dev DEV [dst IP] [vni V] [port P] [via DEV] [nhid ID] [src_vni V] [self] [[no]permanent] [[no]static]
/// [[no]dynamic] [[no]router]`
Parsed<v1::FlushFdbRequest> parse_fdb_flush(Words& words);

}  // namespace vtep
