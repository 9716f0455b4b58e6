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
  has_news_ = true;
  return engine_.has_link(link) ? &engine_ : nullptr;
}

}  // namespace vtep
