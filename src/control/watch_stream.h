// One stream of one watch, from one server: gRPC's side of EtcdWatch.
//
// It deletes itself when gRPC is done with it, and gRPC is not before the owner has let go. Messages are read
// one by one: the next when the owner has dealt with the last, so that a slow owner slows the server down.
//
// Thread safety: what is public belongs to the loop's thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>

#include "control/call_scope.h"
#include "etcd/rpc.grpc.pb.h"

namespace vtep {

class WatchStream final
    : private grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse> {
 public:
  /// Called in the loop's thread while `scope` is open, with the number of the stream, since an owner may
  /// have gone on to another by then.
  class Owner {
   public:
    virtual void on_message(std::uint64_t stream, etcdserverpb::WatchResponse& message) = 0;
    /// There are no more messages: let go, and the reason comes.
    virtual void on_closed(std::uint64_t stream) = 0;
    virtual void on_done(std::uint64_t stream, const grpc::Status& status) = 0;

   protected:
    ~Owner() = default;
  };

  /// Made with new. The owner lives as long as its scope is open. It ends the stream by cancelling the
  /// context.
  WatchStream(Owner& owner, std::shared_ptr<CallScope> scope, std::uint64_t number,
              std::shared_ptr<grpc::ClientContext> context);

  void start(etcdserverpb::Watch::Stub& stub, const etcdserverpb::WatchCreateRequest& request);
  /// For the next message, after each on_message().
  void read() { StartRead(&message_); }
  /// The owner wants no more messages. The last call: the stream may be gone when it returns.
  void let_go();

 private:
  ~WatchStream() override = default;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  Owner& owner_;  // only touched in the loop's thread
  const std::shared_ptr<CallScope> scope_;
  const std::uint64_t number_;
  const std::shared_ptr<grpc::ClientContext> context_;
  etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse message_;
};

}  // namespace vtep
