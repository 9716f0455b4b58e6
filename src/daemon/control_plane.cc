#include "daemon/control_plane.h"

#include <fmt/format.h>
#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

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
  mesh_.reset();
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
  auto flannel = apply_flannel(config);
  auto mesh = apply_mesh(config);
  if (flannel_ == nullptr && mesh_ == nullptr) close_host();
  return flannel ? mesh : flannel;
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

Result<void> ControlPlane::apply_mesh(const v1::Config& config) {
  const bool is_same =
      mesh_ != nullptr && config.has_mesh() && MessageDifferencer::Equals(mesh_->config(), config.mesh());
  if (is_same) return {};
  if (mesh_ != nullptr) {
    MeshNode* const old = leaving_.emplace_back(std::move(mesh_)).get();
    old->leave([this, old] {
      // Not from within its own callback.
      loop_.post([this, old] {
        std::erase_if(leaving_, [old](const auto& node) { return node.get() == old; });
        if (links_ != nullptr) links_->look_soon();
      });
    });
  }
  Result<void> done;
  if (config.has_mesh()) {
    done = open_host();
    if (done && links_ == nullptr) links_ = std::make_unique<ControlLinks>(loop_, overlay_, rib_, local_);
    auto node = !done ? std::unexpected(done.error())
                      : MeshNode::create({.loop = loop_, .rib = rib_, .overlay = overlay_, .local = local_},
                                         config.mesh(), [this] {
                                           links_->look_soon();
                                           reconcile_soon();
                                         });
    if (!node) {
      done = fail(node.error().kind, fmt::format("mesh: {}", node.error().message));
    } else {
      mesh_ = std::move(*node);
    }
  }
  follow_sources();
  return done;
}

void ControlPlane::follow_sources() {
  if (links_ == nullptr) return;
  std::map<std::string, SourceId> sources;
  if (mesh_ != nullptr) sources[std::string(MeshNode::kName)] = mesh_->id();
  links_->set_sources(std::move(sources));
}

Result<std::vector<v1::Source>> ControlPlane::list(const std::string& name) const {
  std::vector<v1::Source> sources;
  if (flannel_ != nullptr) sources.push_back(flannel_->describe());
  if (mesh_ != nullptr) sources.push_back(mesh_->describe());
  if (name.empty()) return sources;
  std::erase_if(sources, [&](const v1::Source& source) { return source.name() != name; });
  if (sources.empty()) return fail(ErrorKind::kNotFound, fmt::format("Cannot find source \"{}\"", name));
  return sources;
}

void ControlPlane::close(bool remove) {
  if (flannel_ != nullptr && remove) flannel_->leave();
  if (mesh_ != nullptr && remove) {
    Timer end(loop_);
    end.set(kFarewell, [this] { loop_.stop(); });
    mesh_->leave([this] { loop_.stop(); });
    loop_.run();
  }
  mesh_.reset();
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
  Duration wait = kAnyway;
  if (const auto deadline = rib_.next_deadline()) wait = std::min<Duration>(wait, *deadline - loop_.now());
  later_.set(wait, [this] { reconcile(); });
}

}  // namespace vtep
