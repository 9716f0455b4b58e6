#include "control/etcd_message.h"

#include <limits>
#include <utility>

namespace vtep {

std::string end_of_prefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::string(1, '\0');
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::string start_of_prefix(std::string_view prefix) {
  return prefix.empty() ? std::string(1, '\0') : std::string(prefix);
}

bool is_revision(std::int64_t revision) {
  return revision > 0 && revision < std::numeric_limits<std::int64_t>::max();
}

EtcdEntry take_entry(etcdserverpb::KeyValue& from) {
  return {.key = std::move(*from.mutable_key()),
          .value = std::move(*from.mutable_value()),
          .create_revision = from.create_revision(),
          .mod_revision = from.mod_revision(),
          .version = from.version(),
          .lease = from.lease()};
}

Result<std::size_t> take_page(etcdserverpb::RangeResponse& page, std::string_view prefix,
                              std::vector<EtcdEntry>& entries) {
  std::size_t bytes = 0;
  if (!is_revision(page.header().revision())) return fail(ErrorKind::kSystem, "a listing has no revision");
  for (etcdserverpb::KeyValue& kv : *page.mutable_kvs()) {
    const bool is_behind = entries.empty() || kv.key() > entries.back().key;
    if (kv.key().empty() || !kv.key().starts_with(prefix) || !is_behind) {
      return fail(ErrorKind::kSystem, "a listing holds keys that were not asked for, or not in order");
    }
    bytes += kv.key().size() + kv.value().size();
    entries.push_back(take_entry(kv));
  }
  // Who has more gives some; otherwise we would ask for ever.
  if (page.more() && page.kvs().empty()) return fail(ErrorKind::kSystem, "a page of a listing is empty");
  return bytes;
}

Result<void> take_events(etcdserverpb::WatchResponse& response, std::string_view prefix,
                         std::int64_t first_revision, std::vector<EtcdEvent>& events) {
  for (etcdserverpb::Event& event : *response.mutable_events()) {
    etcdserverpb::KeyValue& kv = *event.mutable_kv();
    if (kv.mod_revision() < first_revision) continue;
    const bool is_behind = events.empty() || kv.mod_revision() >= events.back().entry.mod_revision;
    const bool is_known = kv.mod_revision() <= response.header().revision();
    if (kv.key().empty() || !kv.key().starts_with(prefix) || !is_behind || !is_known) {
      return fail(ErrorKind::kSystem, "a watch brings events that were not asked for, or not in order");
    }
    events.push_back({event.type() == etcdserverpb::Event::DELETE, take_entry(kv)});
  }
  return {};
}

}  // namespace vtep
