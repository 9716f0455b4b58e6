// Interfaces as the kernel sees them: asked for, watched, changed. Over libnl-3; parsing is a pure function.
//
// Thread safety: belongs to one thread. Everything happens in the network namespace in which it was created.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ifindex.h"
#include "base/ip.h"
#include "base/mac.h"
#include "base/result.h"
#include "io/host_address.h"
#include "io/interface.h"

namespace vtep {

class Rtnetlink {
 public:
  /// What changed. `removed` is true when the kernel has deleted the interface (or it left the namespace).
  struct Change {
    Interface interface;
    bool removed = false;
    /// Of an address that came or went: nothing else about the interface need have changed.
    std::optional<IpAddr> address{};
  };
  using Listener = std::function<void(const Change&)>;

  static Result<std::unique_ptr<Rtnetlink>> create();
  ~Rtnetlink();
  Rtnetlink(const Rtnetlink&) = delete;
  Rtnetlink& operator=(const Rtnetlink&) = delete;

  /// kNotFound if there is none: message `Cannot find device "eno9"`.
  Result<Interface> find(std::string_view name);
  Result<Interface> find(IfIndex index);
  Result<std::vector<Interface>> list();
  /// All addresses of all interfaces, or of one: then the kernel looks at no other (Linux 4.20).
  Result<std::vector<IpAddr>> addresses(IfIndex index = {});
  /// The same, with prefix lengths.
  Result<std::vector<HostAddress>> list_addresses(IfIndex index = {});
  /// Whether the address is one of this host's. An IPv4 address counts while its interface is up. The cost
  /// does not depend on how many interfaces there are.
  Result<bool> has_address(const IpAddr& address);

  /// Has the address on its interface, for ever. kExists: it is there with another prefix length (IPv6).
  /// kNotFound: no such interface.
  Result<void> add_address(const HostAddress& address);
  /// Has the address with this prefix length not on its interface. That it is not there is success.
  Result<void> delete_address(const HostAddress& address);

  Result<void> set_mtu(IfIndex index, std::uint32_t mtu);
  Result<void> set_address(IfIndex index, const MacAddr& address);
  Result<void> set_up(IfIndex index, bool up);
  Result<void> set_name(IfIndex index, std::string_view new_name);
  /// No queueing discipline, as the kernel's own tunnel devices have it. A multi-queue TAP that comes up with
  /// the default one gets 256 queues of it, about 7 MB; its own queues are enough. Set it while the interface
  /// is down.
  Result<void> set_noqueue(IfIndex index);

  /// The largest super-frame that the interface is given to segment.
  Result<void> set_gso_max_size(IfIndex index, std::uint32_t bytes);
  /// Puts the interface into a group (`ip link set … group N`). 0 is where all interfaces are at first.
  Result<void> set_group(IfIndex index, std::uint32_t group);
  /// Deletes all interfaces of a group in one request: the kernel waits once for all of them and not once for
  /// each. kNotFound: the group is empty. kInvalid: group 0, or one of them cannot be deleted; all stay then.
  Result<void> delete_group(std::uint32_t group);

  /// Link and address notifications (RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR). An address
  /// change is reported as a change of its interface. After an overrun (ENOBUFS) every interface is reported
  /// anew.
  void on_change(Listener listener);
  /// What to wait on; then call dispatch().
  int fd() const;
  void dispatch();

 private:
  struct Impl;
  explicit Rtnetlink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
