// Prefixes that control planes say of links with `accept` (EVPN's routes of type 5, RFC 9136): routed by the
// host's kernel through the link's interface, if they lie within what the link accepts. Whoever may announce
// could otherwise draw any of this host's packets to itself.
//
// The router behind a VTEP has an address here that stands for it: that of the VTEP for IPv4 prefixes, as FRR
// has it, and a link-local one made of its MAC address (RFC 4291 appendix A) for IPv6.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/fact.h"
#include "control/rib.h"
#include "control/source_status.h"
#include "daemon/control_words.h"
#include "daemon/routed_prefixes.h"

namespace vtep {

class RoutedLinks {
 public:
  /// How long routes of an earlier daemon count that nobody has announced again.
  static constexpr Duration kGrace = std::chrono::seconds(60);

  /// Both must outlive it.
  RoutedLinks(Rib& rib, RoutedPrefixes& prefixes) : rib_(rib), prefixes_(prefixes) {}

  /// Where routes should lead, and no others. Links that are not among them any more are left empty.
  void reconcile(const std::vector<ControlledVni>& links, Time now);

  /// What has no route although somebody announces it, and why.
  const std::map<std::string, std::string>& refusals() const { return refused_.refusals; }

 private:
  struct Known {
    RoutedPrefixes::Place place;
    Time since;
    bool is_empty = false;  ///< nothing of ours is there
    std::string trouble{};  ///< of which was spoken
  };
  using Wanted = std::map<std::string, RoutedPrefixes::AllWanted>;  // by the link

  Wanted wanted(const std::vector<ControlledVni>& links);
  void reconcile(Known& known, const RoutedPrefixes::AllWanted& wanted);

  Rib& rib_;
  RoutedPrefixes& prefixes_;
  std::map<std::string, Known> known_;  // by the link
  SourceStatus refused_;
};

}  // namespace vtep
