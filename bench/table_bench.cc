// Which table the forwarding database should have: the candidates of bench/tables.h beside each other.
//
// Every benchmark goes through all addresses in random order. With `work 1` each lookup is followed by a
// hundred dependent instructions that begin with its result, as the rest of a frame's way does: without them
// the processor looks ahead into the next lookups and hides what a lone lookup waits for. `lookup` is the
// price of one, in seconds. To see where prefetching begins to win:
// --benchmark_filter='two_passes|prefetched'.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <shared_mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "tables.h"

namespace vtep::bench {
namespace {

constexpr std::size_t kBatch = 64;  // as the daemon reads them
constexpr LinkId kLink = 7;
constexpr Seconds kNow = 1000;
constexpr std::uint64_t kAbsent = 0x080000000000U;  // this bit makes an address that is in no table

using Whole24 = Probing<WholeSlots<8>>;
using Whole32 = Probing<WholeSlots<32>>;
using Split16 = Probing<SplitSlots<>>;
using Whole24Huge = Probing<WholeSlots<8, true>>;
using Split16Huge = Probing<SplitSlots<true>>;

RemoteId remote_of(std::size_t i) {
  return static_cast<RemoteId>(i % kRemotes);
}

/// `count` unicast addresses, all different, in random order. The same ones in every run.
std::vector<MacAddr> shuffled_macs(std::int64_t count, std::uint64_t first = 0x020000000000U) {
  std::vector<MacAddr> macs;
  macs.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    macs.push_back(MacAddr::from_u64(first + static_cast<std::uint64_t>(i)));
  }
  std::ranges::shuffle(macs, std::mt19937_64(1));
  return macs;
}

template <typename Table>
Table make(std::size_t expected) {
  if constexpr (std::is_constructible_v<Table, std::size_t>) {
    return Table(expected);
  } else {
    return Table();
  }
}

template <typename Table>
void learn_all(Table& table, std::span<const MacAddr> macs) {
  for (std::size_t i = 0; i < macs.size(); ++i) {
    if (i % kBatch == 0) table.begin_batch();
    table.learn(kLink, macs[i], remote_of(i), kNow);
    if (i % kBatch == kBatch - 1) table.end_batch();
  }
}

void report_time_of_one(benchmark::State& state, const char* name, std::size_t per_iteration) {
  using benchmark::Counter;
  state.counters[name] =
      Counter(static_cast<double>(per_iteration), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

/// Goes through all addresses, a batch at a time, and starts again.
class Batches {
 public:
  explicit Batches(std::span<const MacAddr> macs) : macs_(macs) {}
  std::span<const MacAddr> next() {
    if (at_ + kBatch > macs_.size()) at_ = 0;
    at_ += kBatch;
    return macs_.subspan(at_ - kBatch, kBatch);
  }

 private:
  std::span<const MacAddr> macs_;
  std::size_t at_ = 0;
};

/// What a frame's way costs behind the lookup.
void use(std::optional<RemoteId> found, bool work) {
  std::uint64_t value = found.value_or(0);
  if (work) {
    for (int i = 0; i < 8; ++i) value = mix64(value + 1);
  }
  benchmark::DoNotOptimize(value);
}

// --- one thread

/// Arguments: entries, whether work follows each lookup.
template <typename Table, std::uint64_t kFlip>
void look_up(benchmark::State& state) {
  const RcuReader reader;
  std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  const std::size_t before = allocated_bytes();
  auto table = make<Table>(macs.size());
  learn_all(table, macs);
  state.counters["bytes_per_entry"] =
      static_cast<double>(allocated_bytes() - before) / static_cast<double>(macs.size());
  for (MacAddr& mac : macs) mac = MacAddr::from_u64(mac.to_u64() ^ kFlip);
  Batches batches(macs);
  for (auto _ : state) {
    table.begin_batch();
    for (const MacAddr mac : batches.next()) use(table.find(kLink, mac, kNow), state.range(1) != 0);
    table.end_batch();
  }
  report_time_of_one(state, "lookup", kBatch);
}

/// In two passes over the batch: hashes first, then the lookups. With kPrefetch the first asks for the lines
/// that the second will read. (absl keeps its hash for itself and computes it twice.)
template <typename Table, bool kPrefetch>
void look_up_in_two_passes(benchmark::State& state) {
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  Table table;
  learn_all(table, macs);
  Batches batches(macs);
  for (auto _ : state) {
    const auto batch = batches.next();
    if constexpr (requires { table.hash(kLink, batch[0]); }) {
      std::array<std::uint64_t, kBatch> hashes;
      for (std::size_t i = 0; i < kBatch; ++i) {
        hashes[i] = table.hash(kLink, batch[i]);
        if (kPrefetch) table.prefetch_hashed(hashes[i]);
      }
      for (std::size_t i = 0; i < kBatch; ++i) {
        use(table.find_hashed(hashes[i], kLink, batch[i], kNow), state.range(1) != 0);
      }
    } else {
      for (const MacAddr mac : batch) table.prefetch(kLink, mac);
      for (const MacAddr mac : batch) use(table.find(kLink, mac, kNow), state.range(1) != 0);
    }
  }
  report_time_of_one(state, "lookup", kBatch);
}

/// From an empty table: growth is part of the price.
template <typename Table>
void insert(benchmark::State& state) {
  const RcuReader reader;
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  for (auto _ : state) {
    auto table = make<Table>(macs.size());
    learn_all(table, macs);
    state.PauseTiming();  // what follows is the end of the table
    benchmark::DoNotOptimize(&table);
    state.ResumeTiming();
  }
  report_time_of_one(state, "entry", macs.size());
}

template <typename Table>
void refresh(benchmark::State& state) {
  const RcuReader reader;
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  auto table = make<Table>(macs.size());
  learn_all(table, macs);
  Batches batches(macs);
  for (auto _ : state) {
    const auto batch = batches.next();
    const auto first = static_cast<std::size_t>(batch.data() - macs.data());
    table.begin_batch();
    for (std::size_t i = 0; i < kBatch; ++i) table.learn(kLink, batch[i], remote_of(first + i), kNow);
    table.end_batch();
  }
  report_time_of_one(state, "frame", kBatch);
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("entries")->Arg(64)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20);
}
void sizes_and_work(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"entries", "work"})->ArgsProduct({{64, 1 << 10, 1 << 16, 1 << 20}, {0, 1}});
}
/// Close enough to each other that one can see where prefetching begins to win.
void sizes_around_caches(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"entries", "work"})
      ->ArgsProduct({{64, 1 << 10, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 18, 1 << 20}, {0, 1}});
}

BENCHMARK_TEMPLATE(look_up, FdbTable, 0)->Name("hit/fdb")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, SwissTable, 0)->Name("hit/swiss")->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up, RcuTable, 0)->Name("hit/rcu")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, StdTable, 0)->Name("hit/std")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, Whole24, 0)->Name("hit/whole24")->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up, Whole32, 0)->Name("hit/whole32")->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up, Split16, 0)->Name("hit/split16")->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up, Whole24Huge, 0)->Name("hit/whole24_huge")->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up, Split16Huge, 0)->Name("hit/split16_huge")->Apply(sizes_around_caches);

BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole24, false)
    ->Name("two_passes/whole24")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole32, false)
    ->Name("two_passes/whole32")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Split16, false)
    ->Name("two_passes/split16")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole24Huge, false)
    ->Name("two_passes/whole24_huge")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Split16Huge, false)
    ->Name("two_passes/split16_huge")
    ->Apply(sizes_around_caches);

BENCHMARK_TEMPLATE(look_up_in_two_passes, SwissTable, true)
    ->Name("prefetched/swiss")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole24, true)
    ->Name("prefetched/whole24")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole32, true)
    ->Name("prefetched/whole32")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Split16, true)
    ->Name("prefetched/split16")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Whole24Huge, true)
    ->Name("prefetched/whole24_huge")
    ->Apply(sizes_around_caches);
BENCHMARK_TEMPLATE(look_up_in_two_passes, Split16Huge, true)
    ->Name("prefetched/split16_huge")
    ->Apply(sizes_around_caches);

BENCHMARK_TEMPLATE(look_up, FdbTable, kAbsent)->Name("miss/fdb")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, SwissTable, kAbsent)->Name("miss/swiss")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, RcuTable, kAbsent)->Name("miss/rcu")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, StdTable, kAbsent)->Name("miss/std")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, Whole24, kAbsent)->Name("miss/whole24")->Apply(sizes_and_work);
BENCHMARK_TEMPLATE(look_up, Split16, kAbsent)->Name("miss/split16")->Apply(sizes_and_work);

BENCHMARK_TEMPLATE(insert, FdbTable)->Name("insert/fdb")->Apply(sizes);
BENCHMARK_TEMPLATE(insert, SwissTable)->Name("insert/swiss")->Apply(sizes);
BENCHMARK_TEMPLATE(insert, RcuTable)->Name("insert/rcu")->Apply(sizes);
BENCHMARK_TEMPLATE(insert, StdTable)->Name("insert/std")->Apply(sizes);
BENCHMARK_TEMPLATE(insert, Whole24)->Name("insert/whole24")->Apply(sizes);
BENCHMARK_TEMPLATE(insert, Split16)->Name("insert/split16")->Apply(sizes);

BENCHMARK_TEMPLATE(refresh, FdbTable)->Name("refresh/fdb")->Apply(sizes);
BENCHMARK_TEMPLATE(refresh, SwissTable)->Name("refresh/swiss")->Apply(sizes);
BENCHMARK_TEMPLATE(refresh, RcuTable)->Name("refresh/rcu")->Apply(sizes);
BENCHMARK_TEMPLATE(refresh, StdTable)->Name("refresh/std")->Apply(sizes);
BENCHMARK_TEMPLATE(refresh, Whole24)->Name("refresh/whole24")->Apply(sizes);
BENCHMARK_TEMPLATE(refresh, Split16)->Name("refresh/split16")->Apply(sizes);

// --- two readers and a writer

/// A table that is made for one thread, behind a lock that a reader takes once for each batch.
template <typename Table>
class Locked {
 public:
  void learn(LinkId link, MacAddr mac, RemoteId remote, Seconds now) {
    const std::unique_lock lock(mutex_);
    table_.learn(link, mac, remote, now);
  }
  void forget(LinkId link, MacAddr mac) {
    const std::unique_lock lock(mutex_);
    table_.forget(link, mac);
  }
  void find_all(std::span<const MacAddr> macs) {
    const std::shared_lock lock(mutex_);
    for (const MacAddr mac : macs) use(table_.find(kLink, mac, kNow), true);
  }
  void begin_batch() {}
  void end_batch() {
    const std::unique_lock lock(mutex_);
    table_.end_batch();
  }

 private:
  std::shared_mutex mutex_;
  Table table_;
};

/// A table whose readers take no lock.
template <typename Table>
class Lockless : public Table {
 public:
  using Table::Table;
  void find_all(std::span<const MacAddr> macs) {
    this->begin_batch();
    for (const MacAddr mac : macs) use(this->find(kLink, mac, kNow), true);
    this->end_batch();
  }
};

/// As lanes do it: a batch is one visit to the shared table.
class LocklessFdb : public FdbTable {
 public:
  void find_all(std::span<const MacAddr> macs) {
    Epochs::Reader& mine = reader();
    mine.enter();
    for (const MacAddr mac : macs) use(find(kLink, mac, kNow), true);
    mine.leave();
  }

 private:
  /// One for each thread and table.
  Epochs::Reader& reader() {
    thread_local std::uint64_t of = 0;
    thread_local std::unique_ptr<Epochs::Reader> mine;
    if (of != number_) mine = std::make_unique<Epochs::Reader>(tables_.remotes.epochs());
    of = number_;
    return *mine;
  }

  static inline std::atomic<std::uint64_t> last_number = 0;
  const std::uint64_t number_ = ++last_number;
};

/// Two threads look up without pause while a third learns as many addresses again and forgets them, over and
/// over. `lookup` is CPU time of the thread that is measured; `learned` what the writer gets done in a
/// second.
template <typename Table>
void look_up_beside_writer(benchmark::State& state) {
  const RcuReader reader;
  const std::vector<MacAddr> macs = shuffled_macs(state.range(0));
  const std::vector<MacAddr> strangers = shuffled_macs(state.range(0), 0x060000000000U);
  auto table = make<Table>(2 * macs.size());
  learn_all(table, macs);
  std::atomic<bool> stop = false;
  std::size_t learned = 0;
  std::thread other_reader([&] {
    const RcuReader registered;
    for (Batches batches(macs); !stop;) table.find_all(batches.next());
  });
  std::thread writer([&] {
    const RcuReader registered;
    for (std::size_t i = 0; i % kBatch != 0 || !stop; ++i) {
      if (i % kBatch == 0) table.begin_batch();
      const MacAddr mac = strangers[i % strangers.size()];
      if (i / strangers.size() % 2 == 0) {
        table.learn(kLink, mac, remote_of(i), kNow);
        ++learned;
      } else {
        table.forget(kLink, mac);
      }
      if (i % kBatch == kBatch - 1) table.end_batch();
    }
  });
  Batches batches(macs);
  for (auto _ : state) table.find_all(batches.next());
  stop = true;
  other_reader.join();
  writer.join();
  report_time_of_one(state, "lookup", kBatch);
  state.counters["learned"] = benchmark::Counter(static_cast<double>(learned), benchmark::Counter::kIsRate);
}
BENCHMARK_TEMPLATE(look_up_beside_writer, Lockless<RcuTable>)->Name("beside_writer/rcu")->Apply(sizes);
BENCHMARK_TEMPLATE(look_up_beside_writer, Locked<SwissTable>)->Name("beside_writer/swiss")->Apply(sizes);
BENCHMARK_TEMPLATE(look_up_beside_writer, LocklessFdb)->Name("beside_writer/fdb")->Apply(sizes);

}  // namespace
}  // namespace vtep::bench
