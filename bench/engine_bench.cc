// What the engine costs, in memory and on one thread: `ns` is the time of one frame, entry or slot.
//
// "Hot" and "cold" differ only in how many entries the frames' addresses are spread over, in an order that no
// prefetcher can guess: 64 entries stay in the first-level cache, a million (a table of 48 MiB) do not.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/fdb.h"
#include "engine/lane.h"
#include "engine/mdb.h"
#include "engine/neighbours.h"
#include "engine/test_frames.h"
#include "engine/test_tables.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;
using test::TestPackets;

constexpr std::size_t kBatch = 64;            // as the daemon reads them
constexpr std::size_t kAgeingBudget = 16384;  // as the daemon looks at them
constexpr std::int64_t kHot = 64;
constexpr std::int64_t kCold = 1 << 20;
constexpr std::size_t kRemotes = 256;
constexpr LinkId kLink = 0;
constexpr Time kNow{std::chrono::seconds(1000)};
constexpr Seconds kNowSeconds = 1000;

IpAddr vtep_address(std::size_t i) {
  return Ipv4(10, 0, 0, static_cast<std::uint8_t>(i % kRemotes));
}

/// `count` unicast addresses, all different, in random order. The same ones in every run.
std::vector<MacAddr> shuffled_macs(std::int64_t count) {
  std::vector<MacAddr> macs;
  macs.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    macs.push_back(MacAddr::from_u64(0x020000000000U + static_cast<std::uint64_t>(i)));
  }
  std::ranges::shuffle(macs, std::mt19937_64(1));
  return macs;
}

void learn_all(Fdb& fdb, std::span<const MacAddr> macs) {
  for (std::size_t i = 0; i < macs.size(); ++i) fdb.learn(kLink, macs[i], vtep_address(i), kNowSeconds);
  fdb.take_events();
}

/// The time of one of `per_iteration` things, shown with its unit: "24.1n".
void report_time_of_one(benchmark::State& state, const char* name, std::size_t per_iteration) {
  using benchmark::Counter;
  state.counters[name] =
      Counter(static_cast<double>(per_iteration), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

/// `count` IPv4 addresses from `first` on, in random order. The same ones in every run.
std::vector<IpAddr> shuffled_ips(Ipv4 first, std::int64_t count) {
  std::vector<IpAddr> ips;
  ips.reserve(static_cast<std::size_t>(count));
  for (std::uint32_t i = 0; i < count; ++i) ips.push_back(Ipv4(first.value() + i));
  std::ranges::shuffle(ips, std::mt19937_64(1));
  return ips;
}

/// Goes through all addresses in their random order, a batch at a time, and starts again.
template <typename Address>
class Addresses {
 public:
  explicit Addresses(const std::vector<Address>& addresses) : addresses_(addresses) {}
  std::span<const Address> next_batch() {
    if (at_ + kBatch > addresses_.size()) at_ = 0;
    at_ += kBatch;
    return addresses_.subspan(at_ - kBatch, kBatch);
  }

 private:
  std::span<const Address> addresses_;
  std::size_t at_ = 0;
};

// --- the life of a frame

/// One link, with all options off, that has learned these addresses.
void set_up(Engine& engine, std::span<const MacAddr> macs) {
  LinkConfig config;
  config.vni = 6000_vni;
  config.port = kIanaVxlanPort;
  config.ageing = 0;
  config.mtu = 1450;
  if (!engine.add_link(config, kNow)) std::abort();
  learn_all(engine.fdb(), macs);
}

/// Arguments: entries in the table, payload bytes of the inner UDP datagram, whether its checksum is still to
/// be finished (as a local sender leaves it).
void encapsulate(benchmark::State& state) {
  PacketBatch replies(1, 128);
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  Engine engine(Fdb::Options{});
  Lane lane(engine);
  set_up(engine, macs);
  const TestFrame shape{.payload = static_cast<std::size_t>(state.range(1)), .sum = test::Sum::kPseudo};
  const bool unfinished = state.range(2) != 0;
  const Bytes bytes = shape.build();
  TestPackets frames;
  for (std::size_t i = 0; i < kBatch; ++i) frames.add(bytes);

  Addresses addresses(macs);
  std::vector<Datagram> out;
  out.reserve(kBatch);
  for (auto _ : state) {
    const auto batch = addresses.next_batch();
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch[i].store(frames[i].data() + EthernetHeader::kDestination);
      frames[i].offload.needs_checksum = unfinished;
      frames[i].offload.checksum_start = static_cast<std::uint16_t>(shape.l4());
      frames[i].offload.checksum_offset = UdpHeader::kChecksum;
    }
    out.clear();
    lane.encapsulate(kLink, frames.span(), kNow, out, replies);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  if (out.size() != kBatch) state.SkipWithError("frames were dropped or flooded");
  report_time_of_one(state, "frame", kBatch);
}
BENCHMARK(encapsulate)
    ->ArgNames({"entries", "payload", "unfinished"})
    ->Args({kHot, 64, 0})
    ->Args({kHot, 64, 1})
    ->Args({kHot, 1400, 1})
    ->Args({kCold, 64, 1})
    ->Args({kCold, 1400, 1});

/// Arguments: entries in the table, payload bytes of the inner UDP datagram, whether its checksum is
/// unfinished (as the kernel's driver on the same host sends it).
void decapsulate(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  Engine engine(Fdb::Options{});
  Lane lane(engine);
  set_up(engine, macs);
  TestFrame shape{.payload = static_cast<std::size_t>(state.range(1))};
  if (state.range(2) != 0) shape.sum = test::Sum::kPseudo;
  const Bytes bytes = shape.build();
  TestPackets datagrams;
  for (std::size_t i = 0; i < kBatch; ++i) datagrams.add_datagram(6000_vni, bytes, {});
  const std::vector<Packet> arrived(datagrams.span().begin(), datagrams.span().end());

  // What was learned first is refreshed and never moves: each address keeps the remote that learn_all() gave
  // it.
  Addresses addresses(macs);
  std::vector<Packet> batch(kBatch);
  std::vector<LinkId> links(kBatch);
  std::vector<Layers> layers(kBatch);
  std::size_t good = 0;
  for (auto _ : state) {
    const auto sources = addresses.next_batch();
    const auto first = static_cast<std::size_t>(sources.data() - macs.data());
    std::ranges::copy(arrived, batch.begin());
    for (std::size_t i = 0; i < kBatch; ++i) {
      sources[i].store(batch[i].data() + VxlanHeader::kSize + EthernetHeader::kSource);
      batch[i].outer_source = vtep_address(first + i);
    }
    good = lane.decapsulate(kIanaVxlanPort, batch, kNow, links, layers);
    benchmark::DoNotOptimize(batch.data());
    benchmark::ClobberMemory();
  }
  if (good != kBatch || engine.counters(kLink).moved != 0)
    state.SkipWithError("frames were dropped, or moved");
  report_time_of_one(state, "frame", kBatch);
}
BENCHMARK(decapsulate)
    ->ArgNames({"entries", "payload", "unfinished"})
    ->Args({kHot, 64, 0})
    ->Args({kHot, 64, 1})
    ->Args({kHot, 1400, 0})
    ->Args({kHot, 1400, 1})
    ->Args({kCold, 64, 0})
    ->Args({kCold, 1400, 0});

// --- the forwarding table

void fdb_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("entries")->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);
}

/// Precondition: a multiple of kBatch entries, so that every one is asked for equally often.
void lookup(benchmark::State& state, std::uint64_t flip) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  test::FdbTables tables(Fdb::Options{});
  Fdb& fdb = tables.fdb;
  learn_all(fdb, macs);
  std::vector<MacAddr> asked = macs;
  for (MacAddr& mac : asked) mac = MacAddr::from_u64(mac.to_u64() ^ flip);
  Addresses addresses(asked);
  for (auto _ : state) {
    for (const MacAddr mac : addresses.next_batch()) {
      benchmark::DoNotOptimize(fdb.peek(kLink, mac, kNowSeconds));
    }
  }
  report_time_of_one(state, "lookup", kBatch);
  state.counters["bytes_per_entry"] =
      static_cast<double>(fdb.memory_bytes()) / static_cast<double>(fdb.size());
}
void fdb_lookup_known(benchmark::State& state) {
  lookup(state, 0);
}
BENCHMARK(fdb_lookup_known)->Apply(fdb_sizes);
void fdb_lookup_unknown(benchmark::State& state) {
  lookup(state, 0x080000000000U);
}
BENCHMARK(fdb_lookup_unknown)->Apply(fdb_sizes);

/// As a control plane does it: permanent entries, from an empty table, with their events.
void fdb_install(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  for (auto _ : state) {
    test::FdbTables tables(Fdb::Options{});
    Fdb& fdb = tables.fdb;
    for (std::size_t i = 0; i < macs.size(); ++i) {
      const Remote remote{.address = vtep_address(i), .port = {}, .vni = {}, .via = {}};
      benchmark::DoNotOptimize(fdb.add(kLink, macs[i], remote, FdbState::kPermanent, kNowSeconds));
      if (i % kBatch == 0) fdb.take_events();
    }
    if (fdb.size() != macs.size()) state.SkipWithError("entries were refused");
  }
  report_time_of_one(state, "entry", macs.size());
}
BENCHMARK(fdb_install)->Apply(fdb_sizes)->Unit(benchmark::kMillisecond);

/// From an empty table: growth, and the events that go with it, are part of the price.
void fdb_learn_new(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  for (auto _ : state) {
    test::FdbTables tables(Fdb::Options{});
    Fdb& fdb = tables.fdb;
    for (std::size_t i = 0; i < macs.size(); ++i) {
      fdb.learn(kLink, macs[i], vtep_address(i), kNowSeconds);
      if (i % kBatch == 0) fdb.take_events();
    }
    benchmark::DoNotOptimize(fdb.size());
  }
  report_time_of_one(state, "entry", macs.size());
}
BENCHMARK(fdb_learn_new)->Apply(fdb_sizes)->Unit(benchmark::kMillisecond);

void fdb_learn_refresh(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  test::FdbTables tables(Fdb::Options{});
  Fdb& fdb = tables.fdb;
  learn_all(fdb, macs);
  Addresses addresses(macs);
  for (auto _ : state) {
    const auto batch = addresses.next_batch();
    const auto first = static_cast<std::size_t>(batch.data() - macs.data());
    for (std::size_t i = 0; i < kBatch; ++i) {
      benchmark::DoNotOptimize(fdb.learn(kLink, batch[i], vtep_address(first + i), kNowSeconds));
    }
  }
  report_time_of_one(state, "frame", kBatch);
}
BENCHMARK(fdb_learn_refresh)->Apply(fdb_sizes);

/// A scan that finds nothing due, which is what most are.
void fdb_ageing_scan(benchmark::State& state) {
  test::FdbTables tables(Fdb::Options{});
  Fdb& fdb = tables.fdb;
  learn_all(fdb, shuffled_macs(state.range(0)));
  for (auto _ : state) {
    fdb.set_ageing(kLink, 300);  // asks for a scan
    fdb.age(kNowSeconds, SIZE_MAX);
  }
  if (fdb.size() != static_cast<std::size_t>(state.range(0))) state.SkipWithError("entries were forgotten");
  report_time_of_one(state, "entry", fdb.size());
}
BENCHMARK(fdb_ageing_scan)->Apply(fdb_sizes)->Unit(benchmark::kMicrosecond);

/// Everything is due at once; in slices, each with its events, as the daemon does it.
void fdb_ageing_forget(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    test::FdbTables tables(Fdb::Options{});
    Fdb& fdb = tables.fdb;
    learn_all(fdb, macs);
    fdb.set_ageing(kLink, 300);
    state.ResumeTiming();
    while (fdb.size() != 0) {
      fdb.age(kNowSeconds + 300, kAgeingBudget);
      benchmark::DoNotOptimize(fdb.take_events());
    }
  }
  report_time_of_one(state, "entry", macs.size());
}
BENCHMARK(fdb_ageing_forget)->Apply(fdb_sizes)->Unit(benchmark::kMicrosecond);

// --- neighbours and groups

void neighbour_lookup(benchmark::State& state) {
  const std::vector<IpAddr> ips = shuffled_ips(Ipv4(10, 0, 0, 0), state.range(0));
  Neighbours neighbours(Neighbours::Options{});
  for (const IpAddr& ip : ips) {
    neighbours.set(kLink, ip, test::kMacA, false, NeighbourOrigin::kPermanent, kNowSeconds);
  }
  neighbours.take_events();
  Addresses addresses(ips);
  bool all = true;
  for (auto _ : state) {
    for (const IpAddr& ip : addresses.next_batch())
      all &= neighbours.find(kLink, ip, kNowSeconds).has_value();
  }
  if (!all) state.SkipWithError("neighbours were not found");
  report_time_of_one(state, "lookup", kBatch);
  state.counters["bytes_per_entry"] =
      static_cast<double>(neighbours.memory_bytes()) / static_cast<double>(neighbours.size());
}
BENCHMARK(neighbour_lookup)->Apply(fdb_sizes);

/// Arguments: groups, members of each.
void mdb_lookup(benchmark::State& state) {
  const std::vector<IpAddr> groups = shuffled_ips(Ipv4(239, 0, 0, 0), state.range(0));
  const auto members = static_cast<std::size_t>(state.range(1));
  RemoteTable remotes;
  Mdb mdb(remotes, Mdb::Options{});
  for (const IpAddr& group : groups) {
    for (std::size_t i = 0; i < members; ++i) {
      if (!mdb.add(kLink, group, {}, {.address = vtep_address(i), .port = {}, .vni = {}, .via = {}}))
        std::abort();
    }
  }
  mdb.take_events();
  Addresses addresses(groups);
  std::vector<RemoteId> found;
  for (auto _ : state) {
    for (const IpAddr& group : addresses.next_batch()) {
      benchmark::DoNotOptimize(
          mdb.find(kLink, group, Ipv4(192, 0, 2, 1), /*snooping=*/true, kNowSeconds, found));
    }
  }
  if (found.size() != members) state.SkipWithError("members were not found");
  report_time_of_one(state, "lookup", kBatch);
}
BENCHMARK(mdb_lookup)
    ->ArgNames({"groups", "members"})
    ->Args({1 << 10, 1})
    ->Args({1 << 10, 16})
    ->Args({1 << 16, 1});

}  // namespace
}  // namespace vtep
