// A client of GoBGP's daemon, which speaks BGP for us: sets it up, gives it routes, and hears of those of
// others. It never blocks: each call has a callback, which comes later from the loop, once, unless the client
// is destroyed before; then no callback runs any more.
//
// Errors: kUnavailable if gobgpd does not answer; kExists for a peer that is there already; kSystem for
// whatever else it says. The sentence names its address and what was tried.
//
// Thread safety: belongs to the loop's thread, and so does its watch, which does not outlive it. A callback
// may destroy the client. The loop outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "control/evpn_route.h"
#include "io/loop.h"

namespace vtep {

/// The speaker itself.
struct BgpSpeaker {
  std::uint32_t as = 0;  ///< 0: it has not been told yet
  std::string router_id{};
  std::int32_t port = 179;            ///< -1: it does not listen
  std::vector<std::string> listen{};  ///< addresses; empty: all
};

struct BgpPeer {
  IpAddr address{};
  std::uint32_t as = 0;
  std::uint16_t port = 179;
  std::optional<IpAddr> local{};  ///< from which it is spoken to
  bool passive = false;           ///< it is waited for, never dialled
  bool multihop = false;          ///< eBGP beyond the next router
  std::string password{};         ///< TCP MD5 (RFC 2385); empty: none
  bool is_restarting = false;     ///< it may have routes of ours that are still right (RFC 4724)
};

class GobgpClient {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  struct WatchHandlers {
    /// Now everything that there is comes, then what changes.
    std::function<void()> on_connected;
    std::function<void(const apipb::Path&)> on_path;
    /// A session with a peer is there, or not.
    std::function<void(const std::string& peer, bool is_established)> on_peer;
    /// After each try that failed. It goes on trying.
    std::function<void(const Error&)> on_trouble;
  };

  /// `unix:///run/gobgpd.sock`, or `HOST:PORT`. Connects later.
  GobgpClient(Loop& loop, std::string address);
  ~GobgpClient();
  GobgpClient(const GobgpClient&) = delete;
  GobgpClient& operator=(const GobgpClient&) = delete;

  void get_speaker(Done<BgpSpeaker> done);
  void start_speaker(const BgpSpeaker& speaker, Done<void> done);
  void add_peer(const BgpPeer& peer, Done<void> done);
  /// New, or in the place of the one with the same key.
  void announce(const EvpnRoute& route, Done<void> done);
  /// Harmless if it is not there.
  void withdraw(const EvpnRoute& route, Done<void> done);

  /// The best route of each key, by whomever, and sessions with peers. At most one at a time; ends with the
  /// client.
  void watch(WatchHandlers handlers);
  bool is_connected() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace vtep
