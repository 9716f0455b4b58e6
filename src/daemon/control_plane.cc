#include "daemon/control_plane.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "daemon/evpn_node.h"
#include "daemon/mesh_node.h"

namespace vtep {
namespace {

using google::protobuf::util::MessageDifferencer;

/// Changes come in crowds: one look for all of them.
constexpr auto kSoon = std::chrono::milliseconds(20);
constexpr auto kAnyway = std::chrono::seconds(10);
/// That others may take to hear that this host leaves.
constexpr auto kFarewell = std::chrono::seconds(2);

}  // namespace

ControlPlane::~ControlPlane() {
  sources_.clear();
  leaving_.clear();
  links_.reset();
  flannel_.reset();
  close_host();
}

Result<void> ControlPlane::open_host() {
  if (host_.prefixes != nullptr) return {};
  auto rtnetlink = Rtnetlink::create();
  if (!rtnetlink) return std::unexpected(std::move(rtnetlink).error());
  auto neighbours = NeighbourTable::create();
  if (!neighbours) return std::unexpected(std::move(neighbours).error());
  auto routes = HostRoutes::create();
  if (!routes) return std::unexpected(std::move(routes).error());
  host_.rtnetlink = std::move(*rtnetlink);
  host_.neighbours = std::move(*neighbours);
  host_.routes = std::move(*routes);
  host_.rtnetlink->on_change([this](const Rtnetlink::Change&) { host_changed(); });
  host_.neighbours->on_neighbour([this](const NeighbourEntry& entry) {
    if (entry.permanent || entry.removed) reconcile_soon();
  });
  host_.routes->on_change([this](const HostRoutes::Change&) { reconcile_soon(); });
  Result<void> watched = loop_.watch(host_.rtnetlink->fd(), [this] { host_.rtnetlink->dispatch(); });
  if (watched) watched = loop_.watch(host_.neighbours->fd(), [this] { host_.neighbours->dispatch(); });
  if (watched) watched = loop_.watch(host_.routes->fd(), [this] { host_.routes->dispatch(); });
  host_.prefixes = std::make_unique<RoutedPrefixes>(overlay_, *host_.neighbours, *host_.routes);
  host_.links = std::make_unique<RoutedLinks>(rib_, *host_.prefixes);
  return watched;
}

void ControlPlane::close_host() {
  soon_.cancel();
  later_.cancel();
  if (host_.prefixes == nullptr) return;
  loop_.unwatch(host_.rtnetlink->fd());
  loop_.unwatch(host_.neighbours->fd());
  loop_.unwatch(host_.routes->fd());
  host_ = {};
}

Result<void> ControlPlane::apply_config(const v1::Config& config) {
  const v1::Config before = std::exchange(config_, config);
  Result<void> first = apply_flannel(config);
  const auto keep = [&first](const Result<void>& done) {
    if (first && !done) first = done;
  };
  const auto follow = [&](std::string_view kind, bool is_wanted, bool is_same, const Create& create) {
    const std::string name(kind);
    // One that could not be started is tried again.
    if (is_same && sources_.contains(name) == is_wanted) return;
    keep(apply_source(name, is_wanted ? create : Create()));
  };
  follow(MeshNode::kName, config.has_mesh(), MessageDifferencer::Equals(config.mesh(), before.mesh()),
         [&](const LinkSource::Tools& tools, std::function<void()> changed) {
           return MeshNode::create(tools, config.mesh(), std::move(changed));
         });
  follow(EvpnNode::kName, config.has_evpn(), MessageDifferencer::Equals(config.evpn(), before.evpn()),
         [&](const LinkSource::Tools& tools, std::function<void()> changed) {
           return EvpnNode::create(tools, config.evpn(), gobgpd_socket_, std::move(changed));
         });
  if (flannel_ == nullptr && sources_.empty()) {
    if (host_.links != nullptr) host_.links->reconcile({}, loop_.now());
    close_host();
  }
  return first;
}

Result<void> ControlPlane::apply_flannel(const v1::Config& config) {
  const bool is_same = flannel_ != nullptr && config.has_flannel() &&
                       MessageDifferencer::Equals(flannel_->config(), config.flannel());
  if (is_same) return {};
  if (flannel_ != nullptr && !config.has_flannel()) flannel_->leave();
  flannel_.reset();
  if (!config.has_flannel()) return {};
  if (auto opened = open_host(); !opened) return opened;
  auto node = FlannelNode::create({.loop = loop_,
                                   .rib = rib_,
                                   .overlay = overlay_,
                                   .rtnetlink = *host_.rtnetlink,
                                   .prefixes = *host_.prefixes},
                                  config.flannel(), [this] { reconcile_soon(); });
  if (!node) return fail(node.error().kind, fmt::format("flannel: {}", node.error().message));
  flannel_ = std::move(*node);
  reconcile();
  return {};
}

Result<void> ControlPlane::apply_source(const std::string& name, const Create& create) {
  if (sources_.contains(name)) leave(name);
  Result<void> done;
  if (create) {
    done = open_host();
    if (done && links_ == nullptr)
      links_ = std::make_unique<ControlLinks>(loop_, overlay_, rib_, local_, [this] { reconcile_soon(); });
    auto source = !done ? std::unexpected(done.error())
                        : create({.loop = loop_, .rib = rib_, .overlay = overlay_, .local = local_}, [this] {
                            links_->look_soon();
                            reconcile_soon();
                          });
    if (source) {
      sources_[name] = std::move(*source);
    } else {
      done = fail(source.error().kind, fmt::format("{}: {}", name, source.error().message));
    }
  }
  follow_sources();
  return done;
}

void ControlPlane::leave(const std::string& name) {
  LinkSource* const old = leaving_.emplace_back(std::move(sources_.at(name))).get();
  sources_.erase(name);
  old->leave([this, old] {
    // Not from within its own callback.
    loop_.post([this, old] {
      std::erase_if(leaving_, [old](const auto& source) { return source.get() == old; });
      if (links_ != nullptr) links_->look_soon();
      reconcile_soon();
    });
  });
}

void ControlPlane::follow_sources() {
  if (links_ == nullptr) return;
  std::map<std::string, SourceId> ids;
  for (const auto& [name, source] : sources_) ids[name] = source->id();
  links_->set_sources(std::move(ids));
}

Result<std::vector<v1::Source>> ControlPlane::list(const std::string& name) const {
  std::vector<v1::Source> list;
  if (flannel_ != nullptr) list.push_back(flannel_->describe());
  for (const auto& [its_name, source] : sources_) {
    v1::Source& described = list.emplace_back(source->describe());
    for (const MacFact::Key& key : local_.duplicates(loop_.now())) {
      if (!local_.is_told(source->id(), key.vni)) continue;
      v1::Source::Refusal& refusal = *described.add_refusals();
      refusal.set_name(fmt::format("{} in VNI {}", key.mac.to_string(), key.vni.value()));
      refusal.set_reason("it moves to and fro between this host and others, and stays with the others");
    }
    if (its_name != EvpnNode::kName) continue;
    for (const auto& [prefix, reason] : host_.links->refusals()) {
      v1::Source::Refusal& refusal = *described.add_refusals();
      refusal.set_name(prefix);
      refusal.set_reason(reason);
    }
  }
  if (name.empty()) return list;
  std::erase_if(list, [&](const v1::Source& source) { return source.name() != name; });
  if (list.empty()) return fail(ErrorKind::kNotFound, fmt::format("Cannot find source \"{}\"", name));
  return list;
}

void ControlPlane::close(bool remove) {
  if (flannel_ != nullptr && remove) flannel_->leave();
  if (remove && !sources_.empty()) {
    Timer end(loop_);
    end.set(kFarewell, [this] { loop_.stop(); });
    std::size_t left = sources_.size();
    for (const auto& [name, source] : sources_) {
      source->leave([this, &left] {
        if (--left == 0) loop_.stop();
      });
    }
    loop_.run();
  }
  if (remove && host_.links != nullptr) host_.links->reconcile({}, loop_.now());
  sources_.clear();
  leaving_.clear();
  links_.reset();
  flannel_.reset();
  close_host();
}

void ControlPlane::host_changed() {
  if (links_ != nullptr) links_->links_changed();
  reconcile_soon();
}

void ControlPlane::reconcile_soon() {
  soon_.set_if_idle(kSoon, [this] { reconcile(); });
}

void ControlPlane::reconcile() {
  rib_.tick(loop_.now());
  (void)rib_.prefixes().take_changed();  // who wants prefixes looks at all of them
  if (links_ != nullptr) links_->look_soon();
  if (flannel_ != nullptr) flannel_->reconcile();
  if (host_.links != nullptr) host_.links->reconcile(overlay_.list_controlled(), loop_.now());
  Duration wait = kAnyway;
  if (const auto deadline = rib_.next_deadline()) wait = std::min<Duration>(wait, *deadline - loop_.now());
  later_.set(wait, [this] { reconcile(); });
}

}  // namespace vtep
