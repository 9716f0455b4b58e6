// This host as a node of the mesh (control/mesh_source.h), as the configuration says.
//
// Thread safety: belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "control/mesh_source.h"
#include "daemon/link_source.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class MeshNode final : public LinkSource {
 public:
  static constexpr std::string_view kName = "mesh";

  /// `changed`: the RIB or the status may have changed. kInvalid and others: the configuration cannot be, as
  /// for an endpoint that makes no sense or a host without a name.
  static Result<std::unique_ptr<LinkSource>> create(const Tools& tools, const v1::MeshConfig& config,
                                                    std::function<void()> changed);
  ~MeshNode() override;
  MeshNode(const MeshNode&) = delete;
  MeshNode& operator=(const MeshNode&) = delete;

  SourceId id() const override { return id_; }
  void leave(std::function<void()> done) override { source_->leave(std::move(done)); }
  v1::Source describe() const override;

 private:
  MeshNode(const Tools& tools, SourceId id) : tools_(tools), id_(id) {}

  const Tools tools_;
  const SourceId id_;
  std::unique_ptr<MeshSource> source_;
};

}  // namespace vtep
