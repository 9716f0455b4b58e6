// For tests only: a namespace with a pair of interfaces for routes to go over.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "io/host_routes.h"
#include "io/rtnetlink.h"
#include "io/test_namespace.h"

namespace vtep {

inline void PrintTo(const HostRoute& route, std::ostream* out) {
  *out << to_string(route, std::to_string(route.device.value())) << (route.onlink ? " onlink" : "")
       << " type " << unsigned{route.type} << " proto " << unsigned{route.protocol};
}

inline ::testing::AssertionResult done(const Result<void>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().message;
}

/// va and vb are up and have no address but the kernel's link-local ones.
class HostRoutesFixture : public NamespaceTest {
 protected:
  void SetUp() override {
    NamespaceTest::SetUp();
    if (IsSkipped()) return;
    sh("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
    wait_running("va");
    const auto rtnetlink = Rtnetlink::create().value();
    va_ = rtnetlink->find("va").value().index;
    vb_ = rtnetlink->find("vb").value().index;
    routes_ = HostRoutes::create().value();
  }

  static HostRoute route(const char* destination, const char* gateway, IfIndex device) {
    return {.destination = *Prefix::parse(destination),
            .gateway = IpAddr::parse(gateway),
            .device = device,
            .onlink = true};
  }
  static HostRoute on_link(const char* destination, IfIndex device) {
    return {.destination = *Prefix::parse(destination), .gateway = {}, .device = device};
  }
  /// The n-th of up to 65,536 subnets 10.128.0.0/24, …, each behind its own .0.
  HostRoute subnet(unsigned n) const {
    const Ipv4 address((10U << 24 | 128U << 16) + (n << 8));
    return {.destination = *Prefix::from(address, 24), .gateway = address, .device = va_, .onlink = true};
  }
  std::vector<HostRoutes::Request> subnets(unsigned count, HostRoutes::Verb verb) const {
    std::vector<HostRoutes::Request> requests;
    requests.reserve(count);
    for (unsigned n = 0; n < count; ++n) requests.push_back({verb, subnet(n)});
    return requests;
  }
  std::vector<HostRoute> ours(IfIndex device = {}) { return routes_->list(device, kRouteProtocol).value(); }

  IfIndex va_;
  IfIndex vb_;
  std::unique_ptr<HostRoutes> routes_;
};

}  // namespace vtep
