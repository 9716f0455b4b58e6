// This host as an EVPN speaker (control/evpn_source.h), as the configuration says: with a gobgpd of its own,
// or one that runs already.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/evpn_source.h"
#include "control/gobgp_process.h"
#include "daemon/link_source.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class EvpnNode final : public LinkSource {
 public:
  static constexpr std::string_view kName = "evpn";

  /// `socket` is where a gobgpd of our own listens. `changed`: the RIB or the status may have changed.
  /// kSystem: a file with a password cannot be read.
  static Result<std::unique_ptr<LinkSource>> create(const Tools& tools, const v1::EvpnConfig& config,
                                                    const std::string& socket, std::function<void()> changed);
  ~EvpnNode() override;
  EvpnNode(const EvpnNode&) = delete;
  EvpnNode& operator=(const EvpnNode&) = delete;

  SourceId id() const override { return id_; }
  void leave(std::function<void()> done) override { source_->leave(std::move(done)); }
  v1::Source describe() const override;

 private:
  EvpnNode(const Tools& tools, SourceId id) : tools_(tools), id_(id) {}

  const Tools tools_;
  const SourceId id_;
  std::string trouble_;  // of a gobgpd of our own; empty: none yet
  std::unique_ptr<GobgpProcess> process_;
  std::unique_ptr<EvpnSource> source_;  // speaks to it, and goes first
};

}  // namespace vtep
