// Between etcd's messages and our types: pure functions, and what they take apart may come from anybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/etcd_entry.h"
#include "etcd/rpc.pb.h"

namespace vtep {

/// The first key that is behind all which begin with `prefix`, in etcd's words: one zero byte if there is
/// none.
std::string end_of_prefix(std::string_view prefix);
/// As etcd wants it: not empty.
std::string start_of_prefix(std::string_view prefix);

/// One that etcd may be at; the next is one too.
bool is_revision(std::int64_t revision);

/// Leaves `from` without key and value.
EtcdEntry take_entry(etcdserverpb::KeyValue& from);

/// Appends what a page of a listing holds. kSystem if it is not what was asked for: entries with `prefix`,
/// sorted, behind those that are there already. Returns the bytes of the page.
Result<std::size_t> take_page(etcdserverpb::RangeResponse& page, std::string_view prefix,
                              std::vector<EtcdEntry>& entries);

/// Appends the events of a watch of `prefix`, without those from before `first_revision`. kSystem if they are
/// not in order, or of other keys.
Result<void> take_events(etcdserverpb::WatchResponse& response, std::string_view prefix,
                         std::int64_t first_revision, std::vector<EtcdEvent>& events);

}  // namespace vtep
