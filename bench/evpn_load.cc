// Plays many VTEPs of a BGP EVPN network through one GoBGP: routes with the next hops of all of them. For
// bench/convergence.
//
// usage: evpn_load GOBGPD AS ROUTER_ID VNI FIRST VTEPS STATIONS PEER...
//
// VTEPs are numbered from FIRST, and their stations go on in the same way.
//
// Prints a line of JSON when the speaker has all routes; then reads commands, a line each, and answers each
// with a line:
//   peer                   sessions with the peers may begin
//   move STATION VTEP      that station is behind that VTEP now
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/gobgp_client.h"
#include "io/loop.h"
#include "load.h"

namespace vtep {
namespace {

using load::give_up;
using load::say_done;
using load::seconds_since_epoch;

class Load {
 public:
  struct Size {
    std::uint32_t as;
    std::string router_id;
    Vni vni;
    std::uint32_t first;
    std::uint32_t vteps;
    std::uint32_t stations;
  };

  Load(const std::string& gobgpd, const Size& size, std::vector<std::string> peers)
      : size_(size), peers_(std::move(peers)), gobgp_(*loop_, gobgpd), owners_(size.vteps * size.stations) {
    for (std::uint32_t i = 0; i < size.vteps; ++i) {
      waiting_.push_back({member(i), false});
      for (std::uint32_t j = 0; j < size.stations; ++j) {
        const std::uint32_t number = i * size.stations + j;
        owners_[number] = {i, 0};
        waiting_.push_back({station(number), false});
      }
    }
  }

  void run() {
    gobgp_.start_speaker({.as = size_.as, .router_id = size_.router_id, .listen = {size_.router_id}},
                         [this](const Result<void>& started) {
                           if (!started) give_up(started.error().message);
                           const double begun = seconds_since_epoch();
                           done_ = [begun] { say_done(begun); };
                           send();
                         });
    if (auto watched = loop_->watch(STDIN_FILENO, [this] { read_commands(); }); !watched)
      give_up(watched.error().message);
    loop_->run();
  }

 private:
  struct Owner {
    std::uint32_t vtep = 0;
    std::uint32_t sequence = 0;
  };
  struct Order {
    EvpnRoute route;
    bool is_withdrawn;
  };
  static constexpr std::size_t kMostInFlight = 256;

  /// 10.1.0.1 and on.
  Ipv4 address(std::uint32_t vtep) const { return Ipv4(0x0a010001U + size_.first + vtep); }

  EvpnRoute route(std::uint32_t vtep) const {
    return {.distinguisher = {RouteTarget::Kind::kIpv4, address(vtep).value(), 1},
            .vni = size_.vni,
            .vtep = address(vtep),
            .targets = {RouteTarget::of_vni(size_.as, size_.vni)}};
  }
  EvpnRoute member(std::uint32_t vtep) const {
    EvpnRoute out = route(vtep);
    out.kind = EvpnRoute::Kind::kMulticast;
    out.ip = out.vtep;
    return out;
  }
  EvpnRoute station(std::uint32_t number) const {
    EvpnRoute out = route(owners_[number].vtep);
    out.kind = EvpnRoute::Kind::kMac;
    out.mac = MacAddr::from_u64(0x020000000000 + size_.first * size_.stations + number);
    out.sequence = owners_[number].sequence;
    return out;
  }

  void send() {
    while (!waiting_.empty() && in_flight_ < kMostInFlight) {
      const Order order = std::move(waiting_.front());
      waiting_.pop_front();
      ++in_flight_;
      const auto sent = [this](const Result<void>& outcome) {
        if (!outcome) give_up(outcome.error().message);
        --in_flight_;
        send();
      };
      order.is_withdrawn ? gobgp_.withdraw(order.route, sent) : gobgp_.announce(order.route, sent);
    }
    if (waiting_.empty() && in_flight_ == 0 && done_) std::exchange(done_, {})();
  }

  void add_peers() {
    const double begun = seconds_since_epoch();
    for (const std::string& peer : peers_) {
      gobgp_.add_peer(
          {.address = *IpAddr::parse(peer), .as = size_.as, .local = IpAddr::parse(size_.router_id)},
          [begun](const Result<void>& added) {
            if (!added) give_up(added.error().message);
            say_done(begun);
          });
    }
  }

  void move(std::uint32_t number, std::uint32_t to) {
    const double begun = seconds_since_epoch();
    const EvpnRoute before = station(number);
    owners_[number] = {to, owners_[number].sequence + 1};
    waiting_.push_back({station(number), false});
    waiting_.push_back({before, true});
    done_ = [begun] { say_done(begun); };
    send();
  }

  void read_commands() {
    const bool is_open = load::read_commands([this](const std::string& verb, std::istream& words) {
      if (verb == "peer") return add_peers();
      std::uint32_t number = 0, to = 0;
      if (verb != "move" || !(words >> number >> to) || number >= owners_.size() || to >= size_.vteps)
        give_up("no such command");
      move(number, to);
    });
    if (!is_open) loop_->stop();
  }

  const Size size_;
  const std::vector<std::string> peers_;
  const std::unique_ptr<Loop> loop_ = std::move(Loop::create().value());
  GobgpClient gobgp_;
  std::vector<Owner> owners_;
  std::deque<Order> waiting_;
  std::size_t in_flight_ = 0;
  std::function<void()> done_;
};

}  // namespace
}  // namespace vtep

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 8) {
    fmt::print(stderr, "usage: evpn_load GOBGPD AS ROUTER_ID VNI FIRST VTEPS STATIONS PEER...\n");
    return 2;
  }
  const auto number = [&](std::size_t i) {
    return static_cast<std::uint32_t>(std::strtoul(words[i].c_str(), nullptr, 10));
  };
  vtep::Load(words[0],
             {.as = number(1),
              .router_id = words[2],
              .vni = vtep::Vni::from(number(3)).value(),
              .first = number(4),
              .vteps = number(5),
              .stations = number(6)},
             {words.begin() + 7, words.end()})
      .run();
  return 0;
}
