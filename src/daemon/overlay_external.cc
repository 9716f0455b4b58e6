// What control planes say of the forwarding tables. It is not remembered: they say it again.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/overlay.h"

namespace vtep {

Result<void> Overlay::set_external(const std::string& dev, MacAddr mac, const IpAddr& vtep,
                                   std::uint8_t source) {
  const auto link = find(dev);
  if (!link) return std::unexpected(link.error());
  const LinkId id = (*link)->id;
  const Seconds now = Engine::to_seconds(loop_.now());
  Result<void> done;
  {
    const auto engine = data_plane_.engine();
    Fdb& fdb = engine->fdb();
    const auto there = fdb.get(id, mac, now);
    const bool is_held = std::ranges::any_of(there, [source](const FdbEntry& entry) {
      return entry.source != source && (entry.source != 0 || entry.state != FdbState::kDynamic);
    });
    if (is_held) {
      return fail(ErrorKind::kExists,
                  fmt::format("{} has an entry on {} that counts more", mac.to_string(), dev));
    }
    FdbTarget target{Remote{.address = vtep}};
    target.source = source;
    done = fdb.replace(id, mac, target, FdbState::kDynamic, now);
  }
  publish_events();
  data_plane_.schedule();
  return done;
}

Result<void> Overlay::remove_external(const std::string& dev, MacAddr mac, std::uint8_t source) {
  const auto link = find(dev);
  if (!link) return std::unexpected(link.error());
  {
    const auto engine = data_plane_.engine();
    Fdb& fdb = engine->fdb();
    const auto there = fdb.get((*link)->id, mac, Engine::to_seconds(loop_.now()));
    if (there.empty() || there.front().source != source) return {};
    if (auto removed = fdb.remove((*link)->id, mac); !removed) return removed;
  }
  publish_events();
  return {};
}

Result<std::vector<FdbEntry>> Overlay::list_external(const std::string& dev, std::uint8_t source) {
  const auto link = find(dev);
  if (!link) return std::unexpected(link.error());
  auto entries = data_plane_.engine()->fdb().list((*link)->id, Engine::to_seconds(loop_.now()));
  std::erase_if(entries, [source](const FdbEntry& entry) { return entry.source != source; });
  return entries;
}

}  // namespace vtep
