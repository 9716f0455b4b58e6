// The whole engine under an arbitrary sequence of table operations, frames in both directions, and time.
//
// An input is a list of commands: one byte says which, its operands follow. After every command the tables
// are compared with what the engine was told, no reference may be left over, and no frame may be unaccounted
// for.
#pragma once

#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "engine_frames.h"
#include "engine_input.h"

namespace vtep::fuzz {

class Driver {
 public:
  explicit Driver(Input& in)
      : in_(in),
        engine_({.hash_seed = in.byte(), .max_dynamic = in.byte() % 2 == 0 ? std::size_t{20} : 200}) {}

  /// Every command, then everything is taken away again.
  void run();

 private:
  void command();

  // engine_links.cc
  LinkId some_link();
  LinkConfig some_config();
  void add_outer_policy(LinkConfig& config);
  void add_trust(LinkConfig& config);
  void add_link();
  void change_link();
  void remove_link(LinkId link);
  bool is_refused_as_full(LinkId link, const LinkConfig& config);

  // engine_tables.cc
  Remote some_remote();
  RemoteFilter some_filter();
  void fdb_set();
  void fdb_remove();
  void fdb_flush();
  void move_device();
  void nexthop_set();
  void nexthop_remove();
  bool is_legal(const Nexthop& nexthop) const;
  void mdb_set();
  void mdb_remove();
  void neighbour_set();
  void neighbour_remove();
  void path_set();

  // engine_traffic.cc
  void encapsulate();
  void encapsulate_one(LinkId link, Packet& frame, std::vector<Datagram>& out);
  void require_datagram(LinkId link, const Datagram& datagram);
  void require_replies(std::size_t from);
  void refuse(const Datagram& datagram);
  void refuse_stranger();
  void decapsulate();
  void receive(Port port, test::TestPackets& datagrams);
  void require_delivered(Port port, LinkId link, const Packet& frame, const IpAddr& source);
  std::uint64_t all_drops(Port port) const;
  void advance(std::size_t budget);

  // engine_checks.cc
  void check_tables();
  void check_events();
  void check_fdb();
  void check_mdb();
  void check_neighbours();
  void check_remotes();
  void check_paths();
  bool has_work() const;
  bool is_due(const FdbEntry& entry) const;
  std::size_t entries_of(LinkId link) const;
  bool is_group(std::uint32_t id) const;
  bool group_names(std::uint32_t id, const IpAddr& address) const;
  Seconds now_s() const { return Engine::to_seconds(now_); }

  using MdbKey = std::tuple<LinkId, IpAddr, IpAddr, IpAddr>;  // link, group, source, remote
  using NeighbourKey = std::tuple<LinkId, IpAddr, NeighbourOrigin>;
  struct HandMade {
    std::uint32_t mtu = 0;
    std::optional<bool> checksum{};
    bool is_nothing() const { return mtu == 0 && !checksum; }
  };

  Input& in_;
  Engine engine_;
  Lane lane_{engine_};
  PacketBatch replies_{4, kHeadroom + 1536};
  Time now_{std::chrono::seconds(1000)};
  // As the engine was told:
  std::map<LinkId, LinkConfig> links_;
  std::map<LinkId, std::size_t> entries_;  // in the FDB, after the last command
  std::map<std::uint32_t, Nexthop> nexthops_;
  std::map<MdbKey, Remote> mdb_;                // what is permanent
  std::map<NeighbourKey, MacAddr> neighbours_;  // what was not heard
  std::map<IpAddr, HandMade> paths_;
  bool device_moved_ = false;  // equal remotes may count as two since
};

}  // namespace vtep::fuzz
