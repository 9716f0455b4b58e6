// This host as a node of the mesh (control/mesh_source.h), as the configuration says.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "control/local_facts.h"
#include "control/mesh_source.h"
#include "control/rib.h"
#include "daemon/overlay.h"
#include "io/loop.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class MeshNode {
 public:
  static constexpr std::string_view kName = "mesh";

  /// What it works with; all of it must outlive it.
  struct Tools {
    Loop& loop;
    Rib& rib;
    Overlay& overlay;
    LocalFacts& local;
  };

  /// `changed`: the RIB or the status may have changed. kInvalid and others: the configuration cannot be, as
  /// for an endpoint that makes no sense or a host without a name.
  static Result<std::unique_ptr<MeshNode>> create(const Tools& tools, const v1::MeshConfig& config,
                                                  std::function<void()> changed);
  /// All that it said leaves the RIB. What it told others stays until its lease ends, unless leave() was
  /// called.
  ~MeshNode();
  MeshNode(const MeshNode&) = delete;
  MeshNode& operator=(const MeshNode&) = delete;

  const v1::MeshConfig& config() const { return config_; }
  SourceId id() const { return id_; }
  /// Withdraws what others were told, and calls `done`, in any case and once.
  void leave(std::function<void()> done) { source_->leave(std::move(done)); }
  v1::Source describe() const;

 private:
  MeshNode(const Tools& tools, const v1::MeshConfig& config, SourceId id)
      : tools_(tools), config_(config), id_(id) {}

  const Tools tools_;
  const v1::MeshConfig config_;
  const SourceId id_;
  std::unique_ptr<MeshSource> source_;
};

}  // namespace vtep
