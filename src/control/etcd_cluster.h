// The members of one etcd cluster, asked in turn, and the token that lets us in. Client and watches share it.
//
// One member is the current one; whoever finds that it is not there turns to the next. A call that fails for
// want of a member is tried once with each of the others: all that we ask of etcd may be repeated, but
// whether an earlier try was carried out is then unknown, and who cares about that is told.
//
// Thread safety: belongs to the loop's thread, which is never blocked, except that the end waits for gRPC's
// threads to let go of what was cancelled: up to a tenth of a second, for that is how long they sleep when
// they are idle.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "control/call_scope.h"
#include "control/context_pool.h"
#include "control/etcd_endpoint.h"
#include "control/etcd_options.h"
#include "etcd/rpc.grpc.pb.h"

namespace vtep {

class EtcdCluster {
 public:
  using Kv = etcdserverpb::KV::StubInterface::async_interface;
  using Lease = etcdserverpb::Lease::StubInterface::async_interface;
  using Auth = etcdserverpb::Auth::StubInterface::async_interface;

  struct Member {
    EtcdEndpoint endpoint;
    std::unique_ptr<etcdserverpb::KV::Stub> kv;
    std::unique_ptr<etcdserverpb::Lease::Stub> lease;
    std::unique_ptr<etcdserverpb::Auth::Stub> auth;
    std::unique_ptr<etcdserverpb::Watch::Stub> watch;
  };

  /// How a call went, beside its answer.
  struct Trace {
    grpc::StatusCode code = grpc::StatusCode::OK;
    bool is_repeated = false;  ///< an earlier try may have been carried out
  };

  /// Puts a call on the wire: one try. Called again for the next, after the one before has ended.
  using Send =
      std::function<void(Member&, grpc::ClientContext&, std::function<void(grpc::Status)> completion)>;
  using Done = std::function<void(Result<void>, const Trace&)>;

  /// kInvalid, kPermission: the options make no sense, by name.
  static Result<std::shared_ptr<EtcdCluster>> create(Loop& loop, EtcdOptions options);
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  /// `what` completes "cannot …". `done` comes later, from the loop, unless `scope` is closed before. The
  /// owner of the scope keeps the cluster.
  void call(const std::shared_ptr<CallScope>& scope, std::string what, Send send, Done done);

  template <typename Service, typename Request, typename Response>
  using Method = void (Service::*)(grpc::ClientContext*, const Request*, Response*,
                                   std::function<void(grpc::Status)>);
  /// `cluster.call(scope, "…", &EtcdCluster::Kv::Range, request, done)`
  template <typename Service, typename Request, typename Response>
  void call(const std::shared_ptr<CallScope>& scope, std::string what,
            Method<Service, Request, Response> method, std::type_identity_t<Request> request,
            std::type_identity_t<std::function<void(Result<Response>, const Trace&)>> done);

  // For who keeps a stream open.

  /// Sees to it that there is a token, if there is a user; then `ready`, at once where nothing is to be done.
  void prepare(const std::shared_ptr<CallScope>& scope, std::function<void(Result<void>)> ready);
  /// Adds the token, if there is one; returns what to give to forget_token() if it is refused.
  std::string add_token(grpc::ClientContext& context) const;
  /// False if nothing can be done: nobody gave us a name and a password.
  bool forget_token(const std::string& token);

  std::shared_ptr<grpc::ClientContext> make_context() { return contexts_.make(); }

  Member& current() { return members_[current_]; }
  /// The current member is not there; does nothing if it is no longer the current one.
  void turn_from(const Member& member);
  std::size_t size() const { return members_.size(); }
  const EtcdOptions& options() const { return options_; }
  Loop& loop() { return loop_; }

 private:
  struct Call;
  template <typename Request, typename Response>
  struct Messages {
    Request request;
    Response response;
  };
  template <typename Service, typename Request, typename Response>
  static Send bind(Method<Service, Request, Response> method,
                   const std::shared_ptr<Messages<Request, Response>>& messages);

  EtcdCluster(Loop& loop, EtcdOptions options);
  void start(const std::shared_ptr<Call>& call);
  void try_once(const std::shared_ptr<Call>& call);
  void finish_try(const std::shared_ptr<Call>& call, Member& member, const std::string& token,
                  const grpc::Status& status);
  void authenticate();
  void finish_authentication(const Result<void>& outcome);

  Loop& loop_;
  const EtcdOptions options_;
  ContextPool contexts_;
  std::vector<Member> members_;
  std::size_t current_ = 0;

  // No token: it has to be asked for. An empty one: etcd does not want any.
  std::optional<std::string> token_;
  bool is_authenticating_ = false;
  struct Waiter {
    std::shared_ptr<CallScope> scope;
    std::function<void(Result<void>)> ready;
  };
  std::vector<Waiter> waiters_;
  const std::shared_ptr<CallScope> scope_;  // of the authentication
};

template <typename Service, typename Request, typename Response>
EtcdCluster::Send EtcdCluster::bind(Method<Service, Request, Response> method,
                                    const std::shared_ptr<Messages<Request, Response>>& messages) {
  return [=](Member& member, grpc::ClientContext& context, std::function<void(grpc::Status)> completion) {
    Service* service = nullptr;
    if constexpr (std::is_same_v<Service, Kv>) {
      service = member.kv->async();
    } else if constexpr (std::is_same_v<Service, Lease>) {
      service = member.lease->async();
    } else {
      service = member.auth->async();
    }
    // gRPC keeps the messages until it has called back, whoever else has gone by then.
    (service->*method)(&context, &messages->request, &messages->response,
                       [messages, completion = std::move(completion)](grpc::Status status) {
                         completion(std::move(status));
                       });
  };
}

template <typename Service, typename Request, typename Response>
void EtcdCluster::call(const std::shared_ptr<CallScope>& scope, std::string what,
                       Method<Service, Request, Response> method, std::type_identity_t<Request> request,
                       std::type_identity_t<std::function<void(Result<Response>, const Trace&)>> done) {
  const auto messages = std::make_shared<Messages<Request, Response>>();
  messages->request = std::move(request);
  call(scope, std::move(what), bind(method, messages),
       [messages, done = std::move(done)](Result<void> outcome, const Trace& trace) {
         if (!outcome) return done(std::unexpected(std::move(outcome).error()), trace);
         done(std::move(messages->response), trace);
       });
}

}  // namespace vtep
