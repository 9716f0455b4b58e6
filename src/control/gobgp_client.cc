#include "control/gobgp_client.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <random>
#include <utility>

#include "control/backoff.h"
#include "control/call_scope.h"
#include "control/context_pool.h"
#include "control/printable.h"
#include "control/read_stream.h"
#include "gobgp/api.grpc.pb.h"
#include "io/timer.h"

namespace vtep {
namespace {

namespace pb = apipb;
using google::protobuf::Empty;

constexpr std::chrono::seconds kTimeout{10};
/// A connection that lasted as long was a good one.
constexpr Duration kGoodConnection = std::chrono::seconds(1);
/// gobgpd is back within a second when it is restarted.
constexpr std::chrono::milliseconds kFirstReconnect{100};
constexpr std::chrono::milliseconds kLastReconnect{1000};
/// What one event may hold: all routes of a table.
constexpr int kMaxMessage = 256 << 20;
constexpr std::int32_t kAfiL2vpn = 25;
constexpr std::int32_t kSafiEvpn = 70;
constexpr std::uint32_t kMostHops = 64;
/// RFC 4724: how long neighbours keep routes whose speaker is gone, and how long it waits for theirs when it
/// is back. A killed gobgpd has its sessions back within a few seconds.
constexpr std::uint32_t kRestartTime = 30;
constexpr std::uint32_t kDeferralTime = 3;
constexpr std::uint64_t kConnectRetry = 2;  // seconds: a peer that was restarted is waited for, not forgotten

std::shared_ptr<grpc::Channel> make_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessage);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(kFirstReconnect.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(kLastReconnect.count()));
  // Pings that measure the bandwidth are too many for a server in Go: it breaks off (see etcd_channel.cc).
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A socket's path is no name of a host; gobgpd's HTTP/2 wants one.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Error make_error(std::string_view what, std::string_view address, const grpc::Status& status) {
  const std::string said = printable(status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return {ErrorKind::kUnavailable,
              fmt::format("cannot {}: gobgpd at {} does not answer: {}", what, address, said)};
    case grpc::StatusCode::ALREADY_EXISTS:
      return {ErrorKind::kExists, fmt::format("cannot {}: gobgpd at {}: {}", what, address, said)};
    default:
      return {ErrorKind::kSystem, fmt::format("cannot {}: gobgpd at {}: {}", what, address, said)};
  }
}

/// Only that it was done matters.
template <typename Response>
GobgpClient::Done<Response> without_answer(GobgpClient::Done<void> done) {
  return [done = std::move(done)](const Result<Response>& response) {
    if (!response) return done(std::unexpected(response.error()));
    done({});
  };
}

}  // namespace

struct GobgpClient::Impl {
  Impl(Loop& loop_in, std::string address_in)
      : loop(loop_in),
        address(std::move(address_in)),
        stub(pb::GobgpApi::NewStub(make_channel(address))),
        scope(std::make_shared<CallScope>(loop)) {}
  ~Impl() {
    drop_stream();
    scope->close();
    contexts.wait_until_empty();
  }

  /// `done` gets the answer, or what went wrong in words.
  template <typename Request, typename Response>
  void call(std::string what,
            void (pb::GobgpApi::StubInterface::async_interface::*method)(grpc::ClientContext*, const Request*,
                                                                         Response*,
                                                                         std::function<void(grpc::Status)>),
            const Request& request, Done<Response> done) {
    struct Messages {
      Request request;
      Response response;
    };
    const auto messages = std::make_shared<Messages>(Messages{request, {}});
    const auto call_context = contexts.make();
    call_context->set_deadline(std::chrono::system_clock::now() + kTimeout);
    auto completion = scope->begin(call_context, [this, what = std::move(what), messages,
                                                  done = std::move(done)](const grpc::Status& status) {
      if (!status.ok()) return done(std::unexpected(make_error(what, address, status)));
      done(std::move(messages->response));
    });
    (stub->async()->*method)(call_context.get(), &messages->request, &messages->response,
                             [messages, completion = std::move(completion)](grpc::Status status) {
                               completion(std::move(status));
                             });
  }

  void open();
  void take(pb::WatchEventResponse& message);
  void drop_stream();
  void lose(const grpc::Status& status);

  Loop& loop;
  const std::string address;
  ContextPool contexts;
  std::unique_ptr<pb::GobgpApi::Stub> stub;
  const std::shared_ptr<CallScope> scope;

  std::shared_ptr<const WatchHandlers> handlers;         // shared with the one that runs: it may destroy us
  std::shared_ptr<grpc::ClientContext> context;          // while a stream is there
  ReadStream<pb::WatchEventResponse>* stream = nullptr;  // until it is let go
  std::uint64_t stream_number = 0;
  Timer retry{loop};
  std::optional<Time> connected_at;
  std::size_t failures = 0;
  Backoff backoff{std::random_device()()};
};

// --- calls

GobgpClient::GobgpClient(Loop& loop, std::string address)
    : impl_(std::make_unique<Impl>(loop, std::move(address))) {}

GobgpClient::~GobgpClient() = default;

void GobgpClient::get_speaker(Done<BgpSpeaker> done) {
  impl_->call<pb::GetBgpRequest, pb::GetBgpResponse>(
      "ask who it is", &pb::GobgpApi::StubInterface::async_interface::GetBgp, {},
      [done = std::move(done)](const Result<pb::GetBgpResponse>& response) {
        if (!response) return done(std::unexpected(response.error()));
        done(BgpSpeaker{.as = response->global().asn(),
                        .router_id = printable(response->global().router_id())});
      });
}

void GobgpClient::start_speaker(const BgpSpeaker& speaker, Done<void> done) {
  pb::StartBgpRequest request;
  request.mutable_global()->set_asn(speaker.as);
  request.mutable_global()->set_router_id(speaker.router_id);
  request.mutable_global()->set_listen_port(speaker.port);
  for (const std::string& listen : speaker.listen) request.mutable_global()->add_listen_addresses(listen);
  impl_->call<pb::StartBgpRequest, Empty>("start BGP",
                                          &pb::GobgpApi::StubInterface::async_interface::StartBgp, request,
                                          without_answer<Empty>(std::move(done)));
}

void GobgpClient::add_peer(const BgpPeer& peer, Done<void> done) {
  pb::AddPeerRequest request;
  pb::Peer& out = *request.mutable_peer();
  out.mutable_conf()->set_neighbor_address(peer.address.to_string());
  out.mutable_conf()->set_peer_asn(peer.as);
  out.mutable_conf()->set_auth_password(peer.password);
  out.mutable_transport()->set_remote_port(peer.port);
  out.mutable_transport()->set_passive_mode(peer.passive);
  if (peer.local) out.mutable_transport()->set_local_address(peer.local->to_string());
  out.mutable_timers()->mutable_config()->set_connect_retry(kConnectRetry);
  out.mutable_timers()->mutable_config()->set_idle_hold_time_after_reset(kConnectRetry);
  if (peer.multihop) {
    out.mutable_ebgp_multihop()->set_enabled(true);
    out.mutable_ebgp_multihop()->set_multihop_ttl(kMostHops);
  }
  // Who moves frames is vtepd, which goes on when gobgpd does not.
  out.mutable_graceful_restart()->set_enabled(true);
  out.mutable_graceful_restart()->set_restart_time(kRestartTime);
  out.mutable_graceful_restart()->set_deferral_time(kDeferralTime);
  out.mutable_graceful_restart()->set_local_restarting(peer.is_restarting);
  out.add_afi_safis()->mutable_mp_graceful_restart()->mutable_config()->set_enabled(true);
  pb::AfiSafiConfig& family = *out.mutable_afi_safis(0)->mutable_config();
  family.set_enabled(true);
  family.mutable_family()->set_afi(kAfiL2vpn);
  family.mutable_family()->set_safi(kSafiEvpn);
  impl_->call<pb::AddPeerRequest, Empty>(fmt::format("add the neighbour {}", peer.address.to_string()),
                                         &pb::GobgpApi::StubInterface::async_interface::AddPeer, request,
                                         without_answer<Empty>(std::move(done)));
}

void GobgpClient::announce(const EvpnRoute& route, Done<void> done) {
  pb::AddPathRequest request;
  *request.mutable_path() = route.to_path();
  impl_->call<pb::AddPathRequest, pb::AddPathResponse>(
      fmt::format("announce {}", route.key()), &pb::GobgpApi::StubInterface::async_interface::AddPath,
      request, without_answer<pb::AddPathResponse>(std::move(done)));
}

void GobgpClient::withdraw(const EvpnRoute& route, Done<void> done) {
  pb::DeletePathRequest request;
  *request.mutable_path() = route.to_path();
  *request.mutable_family() = request.path().family();
  impl_->call<pb::DeletePathRequest, Empty>(fmt::format("withdraw {}", route.key()),
                                            &pb::GobgpApi::StubInterface::async_interface::DeletePath,
                                            request, without_answer<Empty>(std::move(done)));
}

// --- the watch

void GobgpClient::watch(WatchHandlers handlers) {
  impl_->handlers = std::make_shared<const WatchHandlers>(std::move(handlers));
  impl_->scope->post([impl = impl_.get()] { impl->open(); });
}

bool GobgpClient::is_connected() const {
  return impl_->connected_at.has_value();
}

/// gobgpd says nothing when a watch begins, so a question is asked first: it is connected when that is
/// answered.
void GobgpClient::Impl::open() {
  call<pb::GetBgpRequest, pb::GetBgpResponse>(
      "watch", &pb::GobgpApi::StubInterface::async_interface::GetBgp, {},
      [this](const Result<pb::GetBgpResponse>& response) {
        if (!response) return lose(grpc::Status(grpc::StatusCode::UNAVAILABLE, response.error().message));
        if (response->global().asn() == 0)
          return lose(grpc::Status(grpc::StatusCode::UNAVAILABLE, "BGP is not started"));
        pb::WatchEventRequest request;
        request.mutable_peer();
        request.mutable_table()->add_filters()->set_init(true);
        context = contexts.make();
        const std::uint64_t number = ++stream_number;
        stream = new ReadStream<pb::WatchEventResponse>(
            scope, context,
            {.on_message =
                 [this, number](pb::WatchEventResponse& message) {
                   if (number == stream_number && stream != nullptr) take(message);
                 },
             .on_closed =
                 [this, number] {
                   if (number == stream_number && stream != nullptr) std::exchange(stream, nullptr)->let_go();
                 },
             .on_done =
                 [this, number](const grpc::Status& status) {
                   if (number != stream_number) return;
                   lose(status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream has ended")
                                    : status);
                 }});
        connected_at = loop.now();
        stream->start([this, request](grpc::ClientContext& with,
                                      grpc::ClientReadReactor<pb::WatchEventResponse>* reactor) {
          stub->async()->WatchEvent(&with, &request, reactor);
          return nullptr;  // it is copied
        });
        std::shared_ptr(handlers)->on_connected();
      });
}

void GobgpClient::Impl::take(pb::WatchEventResponse& message) {
  const auto open_scope = scope;
  const auto those = handlers;
  if (message.has_table()) {
    for (const pb::Path& path : message.table().paths()) {
      those->on_path(path);
      if (!open_scope->is_open() || stream == nullptr) return;
    }
  } else if (message.has_peer() && message.peer().type() != pb::WatchEventResponse::PeerEvent::END_OF_INIT) {
    const pb::Peer& peer = message.peer().peer();
    const std::string name = peer.state().neighbor_address().empty() ? peer.conf().neighbor_address()
                                                                     : peer.state().neighbor_address();
    those->on_peer(printable(name), peer.state().session_state() == pb::PeerState::ESTABLISHED);
    if (!open_scope->is_open() || stream == nullptr) return;
  }
  stream->read();
}

void GobgpClient::Impl::drop_stream() {
  if (context == nullptr) return;
  context->TryCancel();
  context.reset();
  if (stream != nullptr) std::exchange(stream, nullptr)->let_go();
  ++stream_number;  // what is posted already is about none
}

void GobgpClient::Impl::lose(const grpc::Status& status) {
  drop_stream();
  if (connected_at && loop.now() - *connected_at >= kGoodConnection) failures = 0;
  connected_at.reset();
  ++failures;
  retry.set(backoff.after(failures, 0), [this] { open(); });
  std::shared_ptr(handlers)->on_trouble(make_error("watch", address, status));
}

}  // namespace vtep
