// The number of a control plane's source, and its name in listings.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "control/rib.h"
#include "daemon/overlay.h"

namespace vtep {

/// kFull if there are too many. Whoever has it removes it from the RIB.
inline Result<SourceId> add_source(Rib& rib, Overlay& overlay, std::string_view name) {
  const SourceId id = rib.add_source(Strength::kControlPlane);
  if (id == 0) return fail(ErrorKind::kFull, "there are too many control planes");
  overlay.name_source(id, std::string(name));
  return id;
}

}  // namespace vtep
