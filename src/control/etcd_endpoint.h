// The address of one member of an etcd cluster, as a person writes it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vtep {

struct EtcdEndpoint {
  std::string name;       ///< "http://10.0.0.1:2379": for messages
  std::string authority;  ///< "10.0.0.1:2379", "[fd00::1]:2379"
  std::string target;     ///< the same in gRPC's words: "ipv4:10.0.0.1:2379"
  bool is_secure = false;

  friend bool operator==(const EtcdEndpoint&, const EtcdEndpoint&) = default;
};

/// [http://|https://]HOST:PORT[/], where HOST is a name, an IPv4 address or an IPv6 address in brackets.
/// kInvalid, naming `text`, for anything else. Without a scheme it is as secure as `is_secure` says.
Result<EtcdEndpoint> parse_etcd_endpoint(std::string_view text, bool is_secure);

}  // namespace vtep
