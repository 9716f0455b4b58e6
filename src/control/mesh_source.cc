#include "control/mesh_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "control/printable.h"

namespace vtep {
namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);

}  // namespace

MeshSource::MeshSource(Loop& loop, Rib& rib, SourceId id, LocalFacts& local, std::unique_ptr<EtcdClient> etcd,
                       const MeshOptions& options, std::function<void()> changed)
    : loop_(loop),
      rib_(rib),
      id_(id),
      local_(local),
      options_(options),
      layout_(options.prefix),
      changed_(std::move(changed)),
      etcd_(std::move(etcd)),
      lease_(loop, *etcd_, options.ttl,
             {.on_taken =
                  [this](std::int64_t) {
                    claimed_.clear();
                    claim_name();
                  },
              .on_trouble = [this](const Error& why) { trouble(why); }}),
      publisher_(loop, *etcd_, local, id, layout_, options.node,
                 [this](const Error& why) { try_again(why); }),
      listener_(local.listen([this](const LocalFacts::Key& key) {
        if (const auto* const vni = std::get_if<Vni>(&key)) follow(*vni);
      })),
      timer_(loop) {
  status_.since = loop.now();
  for (const auto& [vni, local_vni] : local.vnis()) follow(vni);
}

MeshSource::~MeshSource() {
  local_.end(listener_);
}

void MeshSource::leave(std::function<void()> done) {
  publisher_.stop();
  vnis_.clear();
  timer_.cancel();
  lease_.revoke(std::move(done));
}

// --- what others say

/// Begins, or ends, or begins anew with other addresses.
void MeshSource::follow(Vni vni) {
  if (const auto found = vnis_.find(vni); found != vnis_.end()) {
    found->second.view->leave(loop_.now());
    vnis_.erase(found);
  }
  if (local_.is_told(id_, vni)) {
    Followed& followed = vnis_[vni];
    followed.view = std::make_unique<MeshVni>(
        rib_, id_, status_, vni, layout_.vni(vni), options_.node, local_.find(vni)->vteps,
        [this, vni](const MeshKey& key, const EtcdEvent& event) { publisher_.observe(vni, key, event); });
    MeshVni* const view = followed.view.get();
    followed.follower = std::make_unique<EtcdFollower>(
        loop_, *etcd_, view->prefix(),
        EtcdFollower::Handlers{.on_listing =
                                   [this, view, vni](const EtcdListing& listing) {
                                     view->take_all(listing, loop_.now());
                                     publisher_.observe(vni, listing);
                                     connected();
                                   },
                               .on_events =
                                   [this, view](std::span<const EtcdEvent> events) {
                                     view->take(events, loop_.now());
                                     changed_();
                                   },
                               .on_connected = [this] { connected(); },
                               .on_trouble = [this](const Error& why) { trouble(why); }});
  }
  if (lease_.id() != 0 && identity().value() != claimed_) claim_name();
}

// --- what we say

MeshMember MeshSource::identity() const {
  MeshMember all;
  for (const auto& [vni, local] : local_.vnis()) {
    if (!local.sources.contains(id_)) continue;
    for (const IpAddr& vtep : local.vteps) {
      if (std::ranges::find(all.vteps, vtep) == all.vteps.end()) all.vteps.push_back(vtep);
    }
  }
  std::ranges::sort(all.vteps);
  return all;
}

void MeshSource::claim_name() {
  const MeshMember self = identity();
  const std::int64_t lease = lease_.id();
  if (self.vteps.empty() || lease == 0) return;
  const std::string value = self.value();
  etcd_->insert(layout_.node(options_.node), value, lease,
                [this, lease, value](const Result<EtcdWrite>& write) {
                  if (lease != lease_.id()) return;
                  if (!write) return try_again(write.error());
                  write->is_written ? name_is_ours(lease, value) : name_is_taken(write->entry, lease);
                });
}

void MeshSource::name_is_ours(std::int64_t lease, const std::string& value) {
  claimed_ = value;
  publisher_.start(lease);
  connected();
}

/// By ourselves, as we were before, or by another host.
void MeshSource::name_is_taken(const EtcdEntry& entry, std::int64_t lease) {
  const MeshMember self = identity();
  const auto there = MeshMember::parse_any(entry.value);
  const bool is_self =
      entry.lease == lease || (there && std::ranges::any_of(there->vteps, [&](const IpAddr& vtep) {
                                 return std::ranges::find(self.vteps, vtep) != self.vteps.end();
                               }));
  if (!is_self) {
    return try_again(
        {ErrorKind::kExists,
         fmt::format("the name {} is another node's, which says {}: give this one a name of its own (node:)",
                     options_.node, printable(entry.value))});
  }
  const std::string value = self.value();
  etcd_->replace(entry.key, value, lease, entry.mod_revision,
                 [this, lease, value](const Result<EtcdWrite>& write) {
                   if (lease != lease_.id()) return;
                   if (!write) return try_again(write.error());
                   write->is_written ? name_is_ours(lease, value) : claim_name();
                 });
}

void MeshSource::try_again(const Error& why) {
  trouble(why);
  if (why.kind == ErrorKind::kNotFound) return lease_.lost();
  timer_.set(kTryAgain, [this] { claim_name(); });
}

// --- how that is going

void MeshSource::connected() {
  status_.connect(loop_.now());
  changed_();
}

void MeshSource::trouble(const Error& why) {
  status_.trouble(loop_.now(), why);
  changed_();
}

const SourceStatus& MeshSource::status() {
  status_.state = state();
  return status_;
}

std::string MeshSource::state() const {
  if (vnis_.empty()) return "no link takes part (control mesh)";
  if (claimed_.empty()) return fmt::format("claiming the name {}", options_.node);
  std::size_t members = 0;
  for (const auto& [vni, followed] : vnis_) members += followed.view->member_count();
  return fmt::format("node {}, VNIs {}, other members {}", options_.node, vnis_.size(), members);
}

}  // namespace vtep
