// The stations behind this host's interfaces: who sends through them, and which IP addresses they say are
// theirs. Control planes tell others of it. Only links whose configuration says `stations` have any.
//
// A station is forgotten when it has not been seen for the link's ageing time, and its addresses with it.
// Each link keeps its stations in the order in which they were seen last, so ageing looks at nothing that is
// not due.
//
// Thread safety: under the lock of the engine's tables, but version(). Knows no clock; seconds are passed in.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/mac.h"
#include "engine/event.h"
#include "engine/ids.h"

namespace vtep {

class Stations {
 public:
  struct Options {
    std::uint64_t hash_seed = 0;          ///< from a random source in production: MACs come from strangers
    std::size_t max_stations = 1U << 20;  ///< of all links together; more are not noted
    std::size_t max_addresses = 16;       ///< of one station; more are not noted
  };
  explicit Stations(const Options& options) : options_(options), index_(0, Hash{options.hash_seed}) {}

  /// A frame from `mac` came through the interface. Precondition: mac.is_unicast().
  /// True: it was not known to be here.
  bool see(LinkId link, MacAddr mac, Seconds now);
  /// It has said that `ip` is its own. Another station that had said so has it no more.
  /// True: that is news.
  bool bind(LinkId link, MacAddr mac, const IpAddr& ip, bool router, Seconds now);
  /// It is elsewhere: the next frame from it is news. Harmless if it is not known.
  void forget(LinkId link, MacAddr mac);
  /// Without events: who asks for that knows.
  void remove_link(LinkId link);

  /// Seconds after which a station is forgotten; 0: never.
  void set_ageing(LinkId link, std::uint32_t seconds) { links_[link].ageing = seconds; }
  /// Forgets what is due, at most `budget` stations.
  void age(Seconds now, std::size_t budget);
  /// When age() has work; empty: nothing can expire.
  std::optional<Seconds> next_deadline() const;

  std::size_t size() const { return index_.size(); }
  /// Changes whenever a station is forgotten, so that those who remember that it was seen look again. By any
  /// thread.
  std::uint32_t version() const { return version_.load(std::memory_order_acquire); }

  /// What is new since the last call, in order.
  std::vector<StationEvent> take_events();

 private:
  struct Key {
    LinkId link;
    MacAddr mac;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const;
  };
  struct Address {
    IpAddr ip;
    bool router;
    friend bool operator==(const Address&, const Address&) = default;
  };
  struct Station {
    MacAddr mac;
    Seconds seen;
    std::vector<Address> addresses{};
  };
  using Order = std::list<Station>;  // seen longest ago first
  struct Link {
    std::uint32_t ageing = 0;
    Order stations{};
    std::map<IpAddr, MacAddr> owners{};
  };

  void take_from_owner(LinkId link, const IpAddr& ip);
  void erase(LinkId link, Order::iterator station);
  static std::optional<Seconds> expiry_of(const Link& link);

  const Options options_;
  std::unordered_map<LinkId, Link> links_;
  std::unordered_map<Key, Order::iterator, Hash> index_;
  std::atomic<std::uint32_t> version_ = 1;
  std::vector<StationEvent> events_;
};

}  // namespace vtep
