#include "control/etcd_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ip.h"
#include "base/number.h"
#include "control/printable.h"

namespace vtep {
namespace {

/// RFC 1123 section 2.1; underscores are in use.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongest = 253;
  const auto is_legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (text.empty() || text.size() > kLongest || text.front() == '-' || text.front() == '.') return false;
  // What consists of digits and dots was meant to be an address.
  const bool is_number = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return std::ranges::all_of(text, is_legal) && !is_number;
}

}  // namespace

Result<EtcdEndpoint> parse_etcd_endpoint(std::string_view text, bool is_secure) {
  const auto refuse = [text](std::string_view why) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is no endpoint of etcd: {}; write it like "
                                                 "http://10.0.0.1:2379",
                                                 printable(text), why));
  };
  std::string_view rest = text;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string_view word = rest.substr(0, scheme);
    if (word != "http" && word != "https") return refuse("the scheme is neither http nor https");
    is_secure = word == "https";
    rest.remove_prefix(scheme + 3);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos) return refuse("user and password do not belong into it");
  if (rest.find_first_of("/?#") != std::string_view::npos) return refuse("there is a path behind the port");

  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.ends_with(']')) return refuse("there is no port");
  const std::string_view host = rest.substr(0, colon);
  const auto port = parse_number(rest.substr(colon + 1), 0xffff);
  if (!port || *port == 0) return refuse("the port is no number from 1 to 65535");

  EtcdEndpoint endpoint;
  endpoint.is_secure = is_secure;
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto ip = Ipv6::parse(host.substr(1, host.size() - 2));
    if (!ip) return refuse("what stands in brackets is no IPv6 address");
    endpoint.authority = fmt::format("[{}]:{}", ip->to_string(), *port);
    endpoint.target = "ipv6:" + endpoint.authority;
  } else if (Ipv4::parse(host)) {
    endpoint.authority = fmt::format("{}:{}", host, *port);
    endpoint.target = "ipv4:" + endpoint.authority;
  } else if (is_host_name(host)) {
    endpoint.authority = fmt::format("{}:{}", host, *port);
    endpoint.target = "dns:///" + endpoint.authority;
  } else {
    return refuse("the host is neither a name nor an address");
  }
  endpoint.name = (is_secure ? "https://" : "http://") + endpoint.authority;
  return endpoint;
}

}  // namespace vtep
