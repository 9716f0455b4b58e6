#include "control/watch_stream.h"

#include <utility>

namespace vtep {

WatchStream::WatchStream(Owner& owner, std::shared_ptr<CallScope> scope, std::uint64_t number,
                         std::shared_ptr<grpc::ClientContext> context)
    : owner_(owner), scope_(std::move(scope)), number_(number), context_(std::move(context)) {}

void WatchStream::start(etcdserverpb::Watch::Stub& stub, const etcdserverpb::WatchCreateRequest& request) {
  *request_.mutable_create_request() = request;
  stub.async()->Watch(context_.get(), this);
  // The owner's: it reads outside of gRPC's callbacks, which is allowed only while somebody holds the stream.
  AddHold();
  StartWrite(&request_);
  StartRead(&message_);
  StartCall();
}

void WatchStream::let_go() {
  RemoveHold();
}

void WatchStream::OnReadDone(bool ok) {
  Owner* const owner = &owner_;
  const std::uint64_t number = number_;
  if (!ok) return scope_->post([owner, number] { owner->on_closed(number); });
  const auto message = std::make_shared<etcdserverpb::WatchResponse>();
  message->Swap(&message_);
  scope_->post([owner, number, message] { owner->on_message(number, *message); });
}

void WatchStream::OnDone(const grpc::Status& status) {
  Owner* const owner = &owner_;
  const std::uint64_t number = number_;
  scope_->post([owner, number, status] { owner->on_done(number, status); });
  delete this;
}

}  // namespace vtep
