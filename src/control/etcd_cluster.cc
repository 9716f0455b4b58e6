#include "control/etcd_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "control/etcd_channel.h"
#include "control/etcd_status.h"
#include "control/printable.h"

namespace vtep {
namespace {

/// gRPC ends the process if it is to send a header that may not be sent (RFC 9110 section 5.5), so whoever
/// sends us such a token would.
bool is_token(std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  return !text.empty() && text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

struct EtcdCluster::Call {
  std::shared_ptr<CallScope> scope;
  std::string what;
  Send send;
  Done done;
  bool needs_token = true;
  bool has_new_token = false;
  std::size_t members_tried = 0;
};

Result<std::shared_ptr<EtcdCluster>> EtcdCluster::create(Loop& loop, EtcdOptions options) {
  if (options.endpoints.empty()) {
    return fail(ErrorKind::kInvalid, "etcd has no endpoint; give one like http://10.0.0.1:2379");
  }
  if (options.user.empty() && !options.password.empty()) {
    return fail(ErrorKind::kInvalid, "there is a password for etcd, but no user");
  }
  if (options.timeout <= Duration(0) || options.silence <= Duration(0)) {
    return fail(ErrorKind::kInvalid, "etcd needs some time to answer: timeout and silence are more than 0");
  }
  const auto credentials = make_etcd_credentials(options);
  if (!credentials) return std::unexpected(credentials.error());

  const bool has_files = !options.ca_file.empty() || !options.cert_file.empty();
  std::shared_ptr<EtcdCluster> cluster(new EtcdCluster(loop, std::move(options)));
  for (const std::string& text : cluster->options_.endpoints) {
    auto endpoint = parse_etcd_endpoint(text, has_files);
    if (!endpoint) return std::unexpected(std::move(endpoint).error());
    if (!endpoint->is_secure && has_files) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("there are certificates for etcd, but {} is not https", endpoint->name));
    }
    for (const Member& other : cluster->members_) {
      if (other.endpoint.authority != endpoint->authority) continue;
      return fail(ErrorKind::kInvalid,
                  fmt::format("{} is there twice among etcd's endpoints", endpoint->name));
    }
    const auto channel = make_etcd_channel(*endpoint, cluster->options_, *credentials);
    cluster->members_.push_back({.endpoint = std::move(*endpoint),
                                 .kv = etcdserverpb::KV::NewStub(channel),
                                 .lease = etcdserverpb::Lease::NewStub(channel),
                                 .auth = etcdserverpb::Auth::NewStub(channel),
                                 .watch = etcdserverpb::Watch::NewStub(channel)});
  }
  return cluster;
}

EtcdCluster::EtcdCluster(Loop& loop, EtcdOptions options)
    : loop_(loop), options_(std::move(options)), scope_(std::make_shared<CallScope>(loop)) {}

EtcdCluster::~EtcdCluster() {
  scope_->close();
  contexts_.wait_until_empty();
}

void EtcdCluster::call(const std::shared_ptr<CallScope>& scope, std::string what, Send send, Done done) {
  start(std::make_shared<Call>(Call{scope, std::move(what), std::move(send), std::move(done)}));
}

void EtcdCluster::start(const std::shared_ptr<Call>& call) {
  if (!call->needs_token) return try_once(call);
  prepare(call->scope, [this, call](const Result<void>& ready) {
    if (!ready) {
      return call->done(
          fail(ready.error().kind, fmt::format("cannot {}: {}", call->what, ready.error().message)),
          {grpc::StatusCode::UNAUTHENTICATED, call->members_tried > 0});
    }
    try_once(call);
  });
}

void EtcdCluster::try_once(const std::shared_ptr<Call>& call) {
  const auto context = make_context();
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::ceil<std::chrono::microseconds>(options_.timeout));
  const std::string token = call->needs_token ? add_token(*context) : std::string();
  Member& member = current();
  call->send(member, *context,
             call->scope->begin(context, [this, call, &member, token](const grpc::Status& status) {
               finish_try(call, member, token, status);
             }));
}

void EtcdCluster::finish_try(const std::shared_ptr<Call>& call, Member& member, const std::string& token,
                             const grpc::Status& status) {
  const Trace trace{status.error_code(), call->members_tried > 0};
  if (status.ok()) return call->done({}, trace);
  if (is_token_refused(status) && call->needs_token && !call->has_new_token && forget_token(token)) {
    call->has_new_token = true;
    return start(call);
  }
  ++call->members_tried;
  Error error = make_etcd_error(call->what, member.endpoint.name, status);
  if (is_worth_another_member(status)) {
    turn_from(member);
    if (call->members_tried < members_.size()) return start(call);
    if (members_.size() > 1) error.message += fmt::format(" (the other {} failed too)", members_.size() - 1);
  }
  call->done(std::unexpected(std::move(error)), trace);
}

void EtcdCluster::turn_from(const Member& member) {
  if (&member == &current()) current_ = (current_ + 1) % members_.size();
}

void EtcdCluster::prepare(const std::shared_ptr<CallScope>& scope, std::function<void(Result<void>)> ready) {
  if (options_.user.empty() || token_) return ready({});
  waiters_.push_back({scope, std::move(ready)});
  if (!is_authenticating_) authenticate();
}

void EtcdCluster::authenticate() {
  is_authenticating_ = true;
  const auto messages =
      std::make_shared<Messages<etcdserverpb::AuthenticateRequest, etcdserverpb::AuthenticateResponse>>();
  messages->request.set_name(options_.user);
  messages->request.set_password(options_.password);
  const auto login = std::make_shared<Call>();
  login->scope = scope_;
  login->what = fmt::format("log in as {}", printable(options_.user));
  login->needs_token = false;
  login->send = bind(&Auth::Authenticate, messages);
  login->done = [this, messages](Result<void> outcome, const Trace& trace) {
    if (outcome && is_token(messages->response.token())) {
      token_ = messages->response.token();
    } else if (outcome) {
      outcome = fail(ErrorKind::kSystem,
                     fmt::format("etcd at {} gives no token that could be one", current().endpoint.name));
    } else if (trace.code == grpc::StatusCode::FAILED_PRECONDITION) {
      // Authentication is not enabled: who has a password is let in without it, as by etcd's own client.
      token_ = std::string();
      outcome = {};
    }
    finish_authentication(outcome);
  };
  start(login);
}

void EtcdCluster::finish_authentication(const Result<void>& outcome) {
  is_authenticating_ = false;
  const auto waiters = std::exchange(waiters_, {});
  const auto scope = scope_;
  for (const Waiter& waiter : waiters) {
    if (!scope->is_open()) return;  // one of them let the cluster go
    if (waiter.scope->is_open()) waiter.ready(outcome);
  }
}

std::string EtcdCluster::add_token(grpc::ClientContext& context) const {
  if (!token_ || token_->empty()) return {};
  context.AddMetadata("token", *token_);
  return *token_;
}

bool EtcdCluster::forget_token(const std::string& token) {
  if (options_.user.empty()) return false;
  // Somebody else may have a new one by now.
  if (token_ == token) token_.reset();
  return true;
}

}  // namespace vtep
