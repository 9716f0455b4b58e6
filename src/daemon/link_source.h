// A source that fills links with `control`, as the control plane deals with all of them.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <string>

#include "control/local_facts.h"
#include "control/rib.h"
#include "daemon/overlay.h"
#include "io/loop.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

class LinkSource {
 public:
  /// What one works with; all of it must outlive it.
  struct Tools {
    Loop& loop;
    Rib& rib;
    Overlay& overlay;
    LocalFacts& local;
  };

  /// All that it said leaves the RIB. What it told others stays as long as it does without it, unless leave()
  /// was called.
  virtual ~LinkSource() = default;
  virtual SourceId id() const = 0;
  /// Withdraws what others were told, and calls `done`, in any case and once.
  virtual void leave(std::function<void()> done) = 0;
  virtual v1::Source describe() const = 0;
};

}  // namespace vtep
