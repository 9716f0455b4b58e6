// The control planes of this host: which there are, as the configuration says, and what follows from what
// they say.
//
// Sources fill the RIB (control/rib.h); here its winners become entries, neighbours and routes, by comparing
// what there should be with what there is: soon after something was said, when the kernel reports a change of
// routes, neighbours or interfaces, and every ten seconds in any case.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "control/local_facts.h"
#include "control/rib.h"
#include "daemon/control_links.h"
#include "daemon/flannel_node.h"
#include "daemon/link_source.h"
#include "daemon/overlay.h"
#include "daemon/routed_links.h"
#include "daemon/routed_prefixes.h"
#include "io/host_routes.h"
#include "io/loop.h"
#include "io/neighbour_table.h"
#include "io/rtnetlink.h"
#include "io/timer.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class ControlPlane {
 public:
  /// Both must outlive it. `gobgpd_socket` is where a gobgpd of our own listens.
  ControlPlane(Loop& loop, Overlay& overlay, std::string gobgpd_socket)
      : loop_(loop), overlay_(overlay), gobgpd_socket_(std::move(gobgpd_socket)) {}
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  /// Starts, replaces and ends sources until they are those of the configuration.
  Result<void> apply_config(const v1::Config& config);
  /// All, or the one that is named (kNotFound).
  Result<std::vector<v1::Source>> list(const std::string& name) const;
  /// What was made is taken away, and others are told, for which the loop runs once more; or everything is
  /// left to the next daemon.
  void close(bool remove);

 private:
  /// What only those need who have a source.
  struct Host {
    std::unique_ptr<Rtnetlink> rtnetlink;
    std::unique_ptr<NeighbourTable> neighbours;
    std::unique_ptr<HostRoutes> routes;
    std::unique_ptr<RoutedPrefixes> prefixes;
    std::unique_ptr<RoutedLinks> links;
  };

  Result<void> open_host();
  void close_host();
  Result<void> apply_flannel(const v1::Config& config);
  using Create = std::function<Result<std::unique_ptr<LinkSource>>(const LinkSource::Tools&,
                                                                   std::function<void()> changed)>;
  /// Starts the source, or another one in its place; without `create` it ends.
  Result<void> apply_source(const std::string& name, const Create& create);
  void leave(const std::string& name);
  /// Whether links are filled by anybody.
  void follow_sources();
  /// The interfaces of links may have changed, or who has what.
  void host_changed();
  void reconcile_soon();
  void reconcile();

  Loop& loop_;
  Overlay& overlay_;
  const std::string gobgpd_socket_;
  Rib rib_;
  LocalFacts local_{rib_.macs()};
  Host host_;
  std::unique_ptr<ControlLinks> links_;  // null: no source fills links
  std::unique_ptr<FlannelNode> flannel_;
  v1::Config config_;  // that was applied last
  std::map<std::string, std::unique_ptr<LinkSource>> sources_;
  std::vector<std::unique_ptr<LinkSource>> leaving_;  // until others have been told
  Timer soon_{loop_};
  Timer later_{loop_};
};

}  // namespace vtep
