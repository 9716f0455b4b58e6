// The routes of the host's main table: set, listed, and watched for what others do to them. IPv4 and IPv6.
//
// Ours are those of protocol kRouteProtocol. No other route is ever deleted; one is replaced only where
// take_over() is asked for.
//
// Beside Rtnetlink and on sockets of its own, so that only who wants it pays for it: a watched route costs
// about 100 bytes.
//
// Thread safety: belongs to one thread. Everything happens in the network namespace in which it was created.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ifindex.h"
#include "base/result.h"
#include "io/host_route.h"

namespace vtep {

class HostRoutes {
 public:
  static Result<std::unique_ptr<HostRoutes>> create();
  ~HostRoutes();
  HostRoutes(const HostRoutes&) = delete;
  HostRoutes& operator=(const HostRoutes&) = delete;

  /// All routes, or those of one device, of one protocol. Of several to one destination with one metric, the
  /// kernel uses the first.
  Result<std::vector<HostRoute>> list(IfIndex device = {}, std::optional<std::uint8_t> protocol = {});

  /// Has the route in the table; a route of ours with its destination and metric is replaced. Errors:
  /// kExists: somebody else's is in its place. kInvalid: not of our protocol, or a gateway of the other
  /// family. kNotFound: no such device. kUnavailable: the device is down, or has no way to the gateway. Where
  /// the kernel cannot swap two IPv6 routes, neither is there for a moment.
  Result<void> set(const HostRoute& route);
  /// The same, and replaces whosever route is in its place.
  Result<void> take_over(const HostRoute& route);
  /// Has our route not in the table; a gateway or device that is not given may be any. That there is none is
  /// success. kInvalid: not of our protocol. An IPv4 route without a metric may have any, if there is none
  /// without.
  Result<void> remove(const HostRoute& route);

  enum class Verb { kSet, kTakeOver, kRemove };
  struct Request {
    Verb verb = Verb::kSet;
    HostRoute route;
  };
  /// Many at once; what becomes of each, in their order. The kernel compares a new IPv4 route with all of its
  /// device that have another gateway: 10,000 of those take it two seconds, of IPv6 a tenth of one. Between
  /// requests for one destination and metric only this order holds: removals before sets.
  std::vector<Result<void>> apply(std::span<const Request> requests);

  struct Change {
    HostRoute route;
    bool removed = false;
  };
  using Listener = std::function<void(const Change&)>;
  /// From now on called for every route of the main table that comes, changes or goes (RTNLGRP_IPV4_ROUTE,
  /// RTNLGRP_IPV6_ROUTE), our own doings included. What was there before is not reported. Of a route that
  /// replaces another, with its destination and metric, only the new one is reported, and the old one as
  /// removed some time later or never. After an overrun (ENOBUFS) every route is reported anew, and what went
  /// meanwhile as removed.
  ///
  /// The kernel says nothing of the IPv4 routes that go with their device, when it goes down, or with the
  /// device's last address; they are found to be missing and reported as removed, too; a
  /// removal may be told twice.
  void on_change(Listener listener);
  /// What to wait on; then call dispatch().
  int fd() const;
  void dispatch();

 private:
  struct Impl;
  explicit HostRoutes(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
