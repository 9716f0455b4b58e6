#include "engine/lane.h"

namespace vtep {

Lane::Lane(Engine& engine)
    : engine_(engine),
      reader_(engine.remotes_.epochs()),
      counters_(engine.add_lane()),
      lock_(engine.mutex(), std::defer_lock) {}

/// Locked from here to the end of the batch. Null if the link has gone: then there is nothing to change.
Engine* Lane::tables(LinkId link) {
  if (!lock_.owns_lock()) lock_.lock();
  return engine_.has_link(link) ? &engine_ : nullptr;
}

/// The same, by who is about to change something that others want to hear of.
Engine* Lane::tables_to_change(LinkId link) {
  has_news_ = true;
  return tables(link);
}

void Lane::report_miss(Engine& engine, LinkId link, MacAddr mac, const IpAddr& ip) {
  has_news_ = true;
  engine.report_miss(link, mac, ip);
}

}  // namespace vtep
