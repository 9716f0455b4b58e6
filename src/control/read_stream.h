// One stream of messages from a server, which says nothing after its request: gRPC's side of it.
//
// It deletes itself when gRPC is done with it, and gRPC is not before the owner has let go. Messages are read
// one by one: the next when the owner has dealt with the last, so that a slow owner slows the server down.
//
// Thread safety: what is public belongs to the loop's thread.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "control/call_scope.h"

namespace vtep {

/// `Reactor` is gRPC's, for a call with one request or for one of which the request is the first message.
template <typename Message, typename Reactor = grpc::ClientReadReactor<Message>>
class ReadStream final : private Reactor {
 public:
  /// Called in the loop's thread while the scope is open.
  struct Handlers {
    std::function<void(Message&)> on_message;
    /// There are no more messages: let go, and the reason comes.
    std::function<void()> on_closed;
    std::function<void(const grpc::Status&)> on_done;
  };

  /// Made with new. The owner ends the stream by cancelling the context.
  ReadStream(std::shared_ptr<CallScope> scope, std::shared_ptr<grpc::ClientContext> context,
             Handlers handlers)
      : scope_(std::move(scope)),
        context_(std::move(context)),
        handlers_(std::make_shared<const Handlers>(std::move(handlers))) {}

  /// `call` prepares it: `stub.async()->Watch(&context, &request, reactor)`. What it returns is kept as long
  /// as the stream is there: a message that is still to be written.
  void start(const std::function<std::shared_ptr<const void>(grpc::ClientContext&, Reactor*)>& call) {
    sent_ = call(*context_, this);
    // The owner's: it reads outside of gRPC's callbacks, which is allowed only while somebody holds the
    // stream.
    this->AddHold();
    this->StartRead(&message_);
    this->StartCall();
  }
  /// For the next message, after each on_message.
  void read() { this->StartRead(&message_); }
  /// The owner wants no more messages. The last call: the stream may be gone when it returns.
  void let_go() { this->RemoveHold(); }

 private:
  ~ReadStream() override = default;

  void OnReadDone(bool ok) override {
    if (!ok) return scope_->post([handlers = handlers_] { handlers->on_closed(); });
    const auto message = std::make_shared<Message>();
    message->Swap(&message_);
    scope_->post([handlers = handlers_, message] { handlers->on_message(*message); });
  }
  void OnDone(const grpc::Status& status) override {
    scope_->post([handlers = handlers_, status] { handlers->on_done(status); });
    delete this;
  }

  const std::shared_ptr<CallScope> scope_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const std::shared_ptr<const Handlers> handlers_;
  std::shared_ptr<const void> sent_;
  Message message_;
};

}  // namespace vtep
