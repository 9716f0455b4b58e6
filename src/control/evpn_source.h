// EVPN through GoBGP: VTEPs that know each other by BGP (docs/control-evpn.md). Says to the RIB what routes
// of others say of this host's VNIs, and announces what LocalFacts has:
//
//   VNI       an inclusive multicast route for each of its addresses (type 3)
//   station   a MAC route, and one with each IP address that it has (type 2)
//   prefix    an IP prefix route (type 5)
//
// gobgpd forgets all of it when it is restarted, and so do its neighbours; then everything is announced anew.
// Meanwhile, and while gobgpd is away, nothing is withdrawn here: what others said before counts until the
// sessions that there were are back and have been quiet for a while, or until kPatience has passed (as RFC
// 4724 does it for BGP itself).
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "control/evpn_route.h"
#include "control/gobgp_client.h"
#include "control/local_facts.h"
#include "control/rib.h"
#include "control/source_status.h"
#include "io/loop.h"
#include "io/timer.h"

namespace vtep {

/// Whose routes a VNI takes, and for whom its own are; both empty: derived from the VNI.
struct EvpnTargets {
  std::vector<RouteTarget> import{};
  std::vector<RouteTarget> exported{};
};

struct EvpnOptions {
  BgpSpeaker speaker{};  ///< of which AS and router id are needed in any case
  std::vector<BgpPeer> peers{};
  bool is_own_speaker = true;    ///< it is ours to start and to give peers
  bool is_restart = false;       ///< neighbours may have routes that this host announced before (RFC 4724)
  bool derives_rfc8365 = false;  ///< route targets; otherwise as FRR derives them
  std::map<Vni, EvpnTargets> targets{};
};

class EvpnSource {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(120);
  static constexpr Duration kQuiet = std::chrono::seconds(2);

  /// Loop, RIB and local facts must outlive it. `changed` is called whenever the RIB or the status may have
  /// changed.
  EvpnSource(Loop& loop, Rib& rib, SourceId id, LocalFacts& local, std::unique_ptr<GobgpClient> gobgp,
             const EvpnOptions& options, std::function<void()> changed);
  ~EvpnSource();
  EvpnSource(const EvpnSource&) = delete;
  EvpnSource& operator=(const EvpnSource&) = delete;

  const SourceStatus& status();
  /// Withdraws what was announced, and calls `done`, in any case and once.
  void leave(std::function<void()> done);

 private:
  /// A route of another, under its key.
  struct Heard {
    Origin origin = 0;
    EvpnRoute route;
    std::uint32_t round = 0;   // in which it was heard last
    std::optional<Vni> vni{};  // in which it was said; not set: it is for none of ours
  };

  /// A route of ours, under its key.
  struct Announced {
    EvpnRoute route;
    bool is_sure = false;  ///< that gobgpd has it
  };
  struct Order {
    EvpnRoute route;
    bool is_withdrawn = false;
  };

  // The speaker.
  void open();
  void configure(const BgpSpeaker& there);
  /// Once gobgpd has all our routes: neighbours that kept them (RFC 4724) forget those that do not come.
  void add_peers_when_told();
  void add_peers(std::size_t next, bool is_restarting);
  void watch();
  std::size_t sessions() const;  // that are there
  void try_again(const Error& why);
  void connected();
  void trouble(const Error& why);

  // What we announce.
  void note(const LocalFacts::Key& key);
  void note_all();
  void announce_soon();
  void announce();
  std::vector<EvpnRoute> wanted(const LocalFacts::Key& key) const;
  /// A route, or its withdrawal. Those of one key go out one after the other.
  void send(const EvpnRoute& route, bool is_withdrawn);
  void sent(const EvpnRoute& route, bool is_withdrawn, const Result<void>& outcome);
  RouteDistinguisher distinguisher(Vni vni) const;
  std::vector<RouteTarget> exported(Vni vni) const;

  // What we hear.
  void take(const apipb::Path& path);
  void note_own_addresses();
  std::optional<Vni> imported(const EvpnRoute& route) const;
  void say(Heard& heard);
  void unsay(const Heard& heard);
  void look_again(Vni vni);
  void end_round_later();
  void end_round();

  Loop& loop_;
  Rib& rib_;
  const SourceId id_;
  LocalFacts& local_;
  const EvpnOptions options_;
  const std::function<void()> changed_;
  SourceStatus status_;
  const std::unique_ptr<GobgpClient> gobgp_;
  const LocalFacts::ListenerId listener_;
  Timer retry_{loop_};  // of the speaker
  bool is_watched_ = false;
  bool are_peers_missing_ = false;
  bool is_restarting_;  // there was a gobgpd before this one
  std::size_t failures_ = 0;

  std::optional<Ipv4> router_id_;
  std::uint32_t as_ = 0;

  std::set<LocalFacts::Key> noted_;                        // whose routes may not be as they should
  std::map<LocalFacts::Key, std::set<std::string>> keys_;  // of the routes that were announced for each fact
  std::unordered_map<std::string, Announced> announced_;
  std::map<std::string, std::optional<Order>> in_flight_;  // keys of calls, and what is to follow
  Timer soon_{loop_};
  std::function<void()> left_;                    // called when all is withdrawn
  mutable std::map<Vni, std::uint32_t> numbers_;  // of our distinguishers

  std::set<IpAddr> own_addresses_;  // where others send to us
  std::unordered_map<std::string, Heard> heard_;
  std::map<RouteTarget, std::set<Vni>> imports_;  // those that are given by hand
  Origin last_origin_ = 0;
  std::uint32_t round_ = 0;
  std::map<std::string, bool> peers_;  // whether the session is there
  std::size_t peers_before_ = 0;       // sessions that there were when gobgpd was lost
  Timer round_end_{loop_};
  std::optional<Time> round_begun_;
};

}  // namespace vtep
