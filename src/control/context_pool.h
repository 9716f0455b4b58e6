// gRPC's contexts, counted. A context keeps its channel, and a channel whose last owner is one of gRPC's own
// callbacks would have its thread wait for itself (gRPC issues 32584 and 37858). So the owner of channels
// waits for the contexts.
//
// Thread safety: make() and wait_until_empty() belong to one thread; contexts may be released anywhere.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

namespace vtep {

class ContextPool {
 public:
  ContextPool();
  std::shared_ptr<grpc::ClientContext> make();
  /// Precondition: the calls were cancelled, and the caller has none of the contexts.
  void wait_until_empty();

 private:
  struct Count;
  const std::shared_ptr<Count> count_;
};

}  // namespace vtep
