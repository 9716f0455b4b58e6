#include "daemon/routed_links.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/result.h"

namespace vtep {
namespace {

/// RFC 4291 appendix A: an interface identifier made of a MAC address.
IpAddr link_local(MacAddr mac) {
  const auto octets = mac.octets();
  return Ipv6(Ipv6::Octets{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(octets[0] ^ 2), octets[1],
                           octets[2], 0xff, 0xfe, octets[3], octets[4], octets[5]});
}

bool accepts(const ControlledVni& link, const Prefix& prefix) {
  return std::ranges::any_of(link.accept, [&](const Prefix& wide) { return wide.contains(prefix); });
}

/// The address that stands for the router.
Result<IpAddr> gateway_of(const ControlledVni& link, const Prefix& prefix, const PrefixFact& fact) {
  if (std::ranges::find(link.announce, prefix) != link.announce.end())
    return fail(ErrorKind::kExists, "this host announces it, too");
  if (!accepts(link, prefix))
    return fail(ErrorKind::kInvalid, fmt::format("{} does not accept it", link.dev));
  if (prefix.address().is_v6()) return link_local(fact.router);
  if (fact.vtep.is_v4()) return fact.vtep;
  return fail(ErrorKind::kInvalid,
              fmt::format("it is behind {}, and an IPv4 prefix needs an IPv4 VTEP", fact.vtep.to_string()));
}

}  // namespace

RoutedLinks::Wanted RoutedLinks::wanted(const std::vector<ControlledVni>& links) {
  std::map<Vni, const ControlledVni*> by_vni;
  for (const ControlledVni& link : links) by_vni.try_emplace(link.vni, &link);
  Wanted wanted;
  refused_ = {};
  rib_.prefixes().for_each([&](const PrefixFact::Key& key, const FactTable<PrefixFact>::Claim& winner) {
    const auto link = by_vni.find(key.vni);
    if (link == by_vni.end()) return;
    if (const auto gateway = gateway_of(*link->second, key.prefix, winner.fact)) {
      wanted[link->second->dev][key.prefix] = {.fact = winner.fact, .gateway = *gateway};
    } else {
      refused_.refuse(fmt::format("{} in VNI {}", key.prefix.to_string(), key.vni.value()),
                      gateway.error().message);
    }
  });
  return wanted;
}

void RoutedLinks::reconcile(const std::vector<ControlledVni>& links, Time now) {
  const Wanted all = wanted(links);
  std::set<std::string> gone;
  for (const auto& [dev, known] : known_) gone.insert(dev);
  for (const ControlledVni& link : links) {
    if (!link.interface.is_set()) continue;
    gone.erase(link.dev);
    const auto [there, is_new] = known_.try_emplace(link.dev, Known{.place = {}, .since = now});
    Known& known = there->second;
    RoutedPrefixes::Place& place = known.place;
    if (place.interface != link.interface) known.is_empty = false;
    place.link = link.dev;
    place.interface = link.interface;
    if (is_new) place.left = prefixes_.list(place.interface);
    if (link.accept.empty() || now > known.since + kGrace) place.left.clear();
    if (link.accept.empty() && known.is_empty) continue;
    const auto wanted = all.find(link.dev);
    reconcile(known, wanted == all.end() ? RoutedPrefixes::AllWanted() : wanted->second);
    known.is_empty = link.accept.empty();
  }
  for (const std::string& dev : gone) {
    Known& known = known_.at(dev);
    known.place.left.clear();
    if (!known.is_empty) (void)prefixes_.reconcile(known.place, {});
    known_.erase(dev);
  }
}

void RoutedLinks::reconcile(Known& known, const RoutedPrefixes::AllWanted& wanted) {
  for (const auto& [prefix, one] : wanted) known.place.left.erase(prefix);  // said again
  const auto outcome = prefixes_.reconcile(known.place, wanted);
  const std::string& trouble = outcome.first_failure;
  if (!trouble.empty() && trouble != known.trouble)
    spdlog::warn("{}: {} of the routes through it cannot be: {}", known.place.link, outcome.failed, trouble);
  known.trouble = trouble;
}

}  // namespace vtep
