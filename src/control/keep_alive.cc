#include "control/keep_alive.h"

#include <utility>

namespace vtep {
namespace {

/// Deletes itself: gRPC says when.
class Ping final : public grpc::ClientBidiReactor<etcdserverpb::LeaseKeepAliveRequest,
                                                  etcdserverpb::LeaseKeepAliveResponse> {
 public:
  Ping(std::shared_ptr<KeepAlive> messages, std::function<void(grpc::Status)> completion)
      : messages_(std::move(messages)), completion_(std::move(completion)) {}

  void start(etcdserverpb::Lease::Stub& stub, grpc::ClientContext& context) {
    stub.async()->LeaseKeepAlive(&context, this);
    StartWriteLast(&messages_->request, grpc::WriteOptions());
    StartRead(&messages_->response);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override { is_answered_ = ok; }
  void OnDone(const grpc::Status& status) override {
    const bool is_silent = status.ok() && !is_answered_;
    completion_(is_silent ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream ended without an answer")
                          : status);
    delete this;
  }

  const std::shared_ptr<KeepAlive> messages_;
  const std::function<void(grpc::Status)> completion_;
  bool is_answered_ = false;
};

}  // namespace

void start_keep_alive(etcdserverpb::Lease::Stub& stub, grpc::ClientContext& context,
                      std::shared_ptr<KeepAlive> messages, std::function<void(grpc::Status)> completion) {
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): it deletes itself
  (new Ping(std::move(messages), std::move(completion)))->start(stub, context);
}

}  // namespace vtep
