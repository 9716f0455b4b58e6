// One ping for a lease. etcd has a stream for that, meant to stay open; ours ends with the answer.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "etcd/rpc.grpc.pb.h"

namespace vtep {

struct KeepAlive {
  etcdserverpb::LeaseKeepAliveRequest request;
  etcdserverpb::LeaseKeepAliveResponse response;
};

/// Calls `completion` from one of gRPC's threads; keeps `messages` until then. `context` lasts as long.
void start_keep_alive(etcdserverpb::Lease::Stub& stub, grpc::ClientContext& context,
                      std::shared_ptr<KeepAlive> messages, std::function<void(grpc::Status)> completion);

}  // namespace vtep
