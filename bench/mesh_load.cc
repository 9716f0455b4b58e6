// Plays many VTEPs of a mesh against an etcd: each tells of itself and its stations as vtepd does, under a
// lease of its own (control/mesh_publisher.h). For bench/convergence.
//
// usage: mesh_load ENDPOINT PREFIX VNI VTEPS STATIONS
//
// Prints a line of JSON when everything is written; then reads commands, a line each, and answers each with a
// line:
//   move STATION VTEP      that station is behind that VTEP now
// Ends with its input; what it wrote goes with its leases.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "control/etcd_client.h"
#include "control/etcd_lease.h"
#include "control/local_facts.h"
#include "control/mesh_publisher.h"
#include "control/rib.h"
#include "io/loop.h"
#include "load.h"

namespace vtep {
namespace {

using load::give_up;
using load::say_done;
using load::seconds_since_epoch;

/// The simulated VTEP's number is that of its address: 10.1.0.0 and on.
class Vtep {
 public:
  Vtep(Loop& loop, EtcdClient& etcd, const MeshLayout& layout, Vni vni, std::uint32_t number)
      : vni_(vni),
        publisher_(loop, etcd, local_, id_, layout, fmt::format("load-{}", number),
                   [](const Error& error) { give_up(error.message); }),
        lease_(loop, etcd, std::chrono::seconds(60),
               {.on_taken = [this](std::int64_t lease) { publisher_.start(lease); },
                .on_trouble = [](const Error& error) { give_up(error.message); }}) {
    local_.set_vni(vni, {.vteps = {Ipv4(0x0a010000U + number)}, .sources = {id_}});
  }

  void add(MacAddr mac) { local_.see({vni_, mac}, false, Time()); }
  void take(MacAddr mac, std::uint32_t sequence) {
    // As if another VTEP claimed it with the number before.
    rib_.say(id_, 1, MacFact::Key{vni_, mac}, MacFact{.vtep = Ipv4(1), .sequence = sequence - 1}, Time());
    local_.forget({vni_, mac});
    local_.see({vni_, mac}, false, Time());
  }
  bool is_done() const { return lease_.id() != 0 && publisher_.is_done(); }
  std::size_t written() const { return publisher_.written(); }

 private:
  const Vni vni_;
  Rib rib_;
  const SourceId id_ = rib_.add_source(Strength::kControlPlane);
  LocalFacts local_{rib_.macs()};
  MeshPublisher publisher_;
  EtcdLease lease_;
};

MacAddr station(std::uint64_t number) {
  return MacAddr::from_u64(0x020000000000 + number);
}

class Load {
 public:
  Load(const std::string& endpoint, const std::string& prefix, Vni vni, std::uint32_t vteps,
       std::uint32_t stations) {
    auto etcd = EtcdClient::create(*loop_, {.endpoints = {endpoint}, .timeout = std::chrono::seconds(60)});
    if (!etcd) give_up(etcd.error().message);
    etcd_ = std::move(*etcd);
    const MeshLayout layout(prefix);
    for (std::uint32_t i = 0; i < vteps; ++i) {
      vteps_.push_back(std::make_unique<Vtep>(*loop_, *etcd_, layout, vni, i + 1));
      for (std::uint32_t j = 0; j < stations; ++j)
        vteps_.back()->add(station(std::uint64_t{i} * stations + j));
    }
  }

  void run() {
    begun_ = seconds_since_epoch();
    wait_until_written([this] {
      std::size_t keys = 0;
      for (const auto& vtep : vteps_) keys += vtep->written();
      say_done(begun_, fmt::format("\"keys\":{},", keys));
    });
    if (auto watched = loop_->watch(STDIN_FILENO, [this] { read_commands(); }); !watched)
      give_up(watched.error().message);
    loop_->run();
  }

 private:
  void wait_until_written(std::function<void()> done) {
    for (const auto& vtep : vteps_) {
      if (vtep->is_done()) continue;
      loop_->at(loop_->now() + std::chrono::milliseconds(1),
                [this, done = std::move(done)]() mutable { wait_until_written(std::move(done)); });
      return;
    }
    done();
  }

  void read_commands() {
    const bool is_open = load::read_commands([this](const std::string& verb, std::istream& words) {
      std::uint64_t number = 0;
      std::size_t to = 0;
      if (verb != "move" || !(words >> number >> to) || to >= vteps_.size()) give_up("no such command");
      const double begun = seconds_since_epoch();
      vteps_[to]->take(station(number), ++moves_);
      wait_until_written([begun] { say_done(begun); });
    });
    if (!is_open) loop_->stop();
  }

  const std::unique_ptr<Loop> loop_ = std::move(Loop::create().value());
  std::unique_ptr<EtcdClient> etcd_;
  std::vector<std::unique_ptr<Vtep>> vteps_;
  double begun_ = 0;
  std::uint32_t moves_ = 0;
};

}  // namespace
}  // namespace vtep

int main(int argc, char** argv) {
  const auto number = [&](int i) { return static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)); };
  if (argc != 6) {
    fmt::print(stderr, "usage: mesh_load ENDPOINT PREFIX VNI VTEPS STATIONS\n");
    return 2;
  }
  vtep::Load(argv[1], argv[2], vtep::Vni::from(number(3)).value(), number(4), number(5)).run();
  return 0;
}
