#include "control/etcd_watch.h"

#include <fmt/format.h>

#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "control/backoff.h"
#include "control/etcd_cluster.h"
#include "control/etcd_message.h"
#include "control/etcd_status.h"
#include "control/printable.h"
#include "control/read_stream.h"
#include "io/timer.h"

namespace vtep {
namespace {

namespace pb = etcdserverpb;

/// A connection that lasted as long was a good one; one that is lost sooner counts as one more failure, so
/// that a server that accepts and breaks off is not asked in a circle.
constexpr Duration kGoodConnection = std::chrono::seconds(1);
/// Of one batch, which may come in many messages. etcd puts at most 1000 revisions into one.
constexpr std::size_t kMaxBatch = 100'000'000;

}  // namespace

struct EtcdWatch::Impl {
  using Reactor = grpc::ClientBidiReactor<pb::WatchRequest, pb::WatchResponse>;
  using Stream = ReadStream<pb::WatchResponse, Reactor>;

  Impl(std::shared_ptr<EtcdCluster> cluster_in, std::string prefix_in, std::int64_t from_revision,
       EtcdWatchHandlers handlers_in)
      : cluster(std::move(cluster_in)),
        prefix(std::move(prefix_in)),
        what(fmt::format("watch {}", printable(prefix))),
        handlers(std::make_shared<const EtcdWatchHandlers>(std::move(handlers_in))),
        scope(std::make_shared<CallScope>(cluster->loop())),
        next_revision(from_revision),
        disconnected_since(cluster->loop().now()) {
    scope->post([this] { open(); });
  }
  ~Impl() {
    drop_stream();
    scope->close();
  }

  void open();
  void open_stream();
  void drop_stream();

  // Of the stream with this number: we may have gone on to another by then.
  void on_message(std::uint64_t number, pb::WatchResponse& message);
  void on_closed(std::uint64_t number);
  void on_done(std::uint64_t number, const grpc::Status& status);

  bool take_created(const pb::WatchResponse& message);
  void take_canceled(const pb::WatchResponse& message);
  bool take_batch(pb::WatchResponse& message);
  void check_history();
  void refused(const grpc::Status& status);
  void lose(const grpc::Status& status);
  void lose(const Error& error);
  void finish(const EtcdWatchEnd& end);

  const std::shared_ptr<EtcdCluster> cluster;
  const std::string prefix;
  const std::string what;
  // Shared with the one that runs: it may destroy us.
  const std::shared_ptr<const EtcdWatchHandlers> handlers;
  const std::shared_ptr<CallScope> scope;

  std::int64_t next_revision;  // 0: not known yet
  std::uint64_t cluster_id = 0;
  std::vector<EtcdEvent> batch;  // what has come of one that is not complete
  std::size_t batch_bytes = 0;

  EtcdCluster::Member* member = nullptr;         // of the stream
  std::shared_ptr<grpc::ClientContext> context;  // while a stream is there
  Stream* stream = nullptr;                      // until it is let go
  std::uint64_t stream_number = 0;
  std::string token;
  bool has_new_token = false;

  Timer timer{cluster->loop()};  // until the next try, or until the stream should have begun
  std::optional<Time> connected_at;
  Time disconnected_since;
  std::size_t failures = 0;
  Backoff backoff{std::random_device()()};
};

void EtcdWatch::Impl::open() {
  cluster->prepare(scope, [this](const Result<void>& ready) {
    if (ready) return open_stream();
    const Error error = {ready.error().kind, fmt::format("cannot {}: {}", what, ready.error().message)};
    if (error.kind == ErrorKind::kUnavailable) return lose(error);
    finish({.error = error});
  });
}

void EtcdWatch::Impl::open_stream() {
  member = &cluster->current();
  const auto message = std::make_shared<pb::WatchRequest>();
  pb::WatchCreateRequest& request = *message->mutable_create_request();
  request.set_key(start_of_prefix(prefix));
  request.set_range_end(end_of_prefix(prefix));
  request.set_start_revision(next_revision);
  request.set_progress_notify(true);
  request.set_fragment(true);

  context = cluster->make_context();
  token = cluster->add_token(*context);
  // A member that is cut off from the others ends the stream instead of being silent.
  context->AddMetadata("hasleader", "true");
  const std::uint64_t number = ++stream_number;
  stream =
      new Stream(scope, context,
                 {.on_message = [this, number](pb::WatchResponse& response) { on_message(number, response); },
                  .on_closed = [this, number] { on_closed(number); },
                  .on_done = [this, number](const grpc::Status& status) { on_done(number, status); }});
  stream->start([this, message](grpc::ClientContext& with, Reactor* reactor) {
    member->watch->async()->Watch(&with, reactor);
    reactor->StartWrite(message.get());
    return message;
  });
  timer.set(cluster->options().timeout,
            [this] { lose(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "")); });
}

void EtcdWatch::Impl::drop_stream() {
  timer.cancel();
  if (context == nullptr) return;
  context->TryCancel();
  context.reset();
  if (stream != nullptr) std::exchange(stream, nullptr)->let_go();
  ++stream_number;  // what is posted already is about none
}

void EtcdWatch::Impl::on_message(std::uint64_t number, pb::WatchResponse& message) {
  if (number != stream_number || stream == nullptr) return;
  if (message.canceled()) return take_canceled(message);
  if (!is_revision(message.header().revision()) || message.created() == connected_at.has_value()) {
    return lose(grpc::Status(grpc::StatusCode::INTERNAL, "the answer is not etcd's"));
  }
  if (message.created() && !take_created(message)) return;
  if (!message.created() && !take_batch(message)) return;
  stream->read();
}

/// False if the stream is gone, or we are.
bool EtcdWatch::Impl::take_created(const pb::WatchResponse& message) {
  timer.cancel();
  if (cluster_id != 0 && cluster_id != message.header().cluster_id()) {
    finish({.error = {ErrorKind::kNotFound,
                      fmt::format("cannot {} any longer: etcd at {} is another cluster now", what,
                                  member->endpoint.name)},
            .must_list = true});
    return false;
  }
  cluster_id = message.header().cluster_id();
  has_new_token = false;
  connected_at = cluster->loop().now();
  const std::int64_t revision = message.header().revision();
  if (next_revision == 0) next_revision = revision + 1;
  if (revision + 1 < next_revision) check_history();

  const auto open_scope = scope;
  if (handlers->on_connected) std::shared_ptr(handlers)->on_connected();
  return open_scope->is_open() && stream != nullptr;
}

/// The member knows less than we have seen. Perhaps it only lags behind; but if the whole cluster does, it
/// was set up anew or restored, and we would wait for revisions that mean something else. Reading asks all of
/// it.
void EtcdWatch::Impl::check_history() {
  pb::RangeRequest request;
  request.set_key(start_of_prefix(prefix));
  request.set_range_end(end_of_prefix(prefix));
  request.set_count_only(true);
  cluster->call(
      scope, what, &EtcdCluster::Kv::Range, request,
      [this, seen = next_revision - 1](const Result<pb::RangeResponse>& answer, const EtcdCluster::Trace&) {
        if (!answer || answer->header().revision() >= seen) return;
        finish({.error = {ErrorKind::kNotFound,
                          fmt::format("cannot {} any longer: etcd is at revision {}, and was at {} before",
                                      what, answer->header().revision(), seen)},
                .must_list = true});
      });
}

void EtcdWatch::Impl::take_canceled(const pb::WatchResponse& message) {
  if (message.compact_revision() > 0) {
    return finish({.error = {ErrorKind::kNotFound,
                             fmt::format("cannot {} from revision {} on: etcd has forgotten what was "
                                         "before revision {}",
                                         what, next_revision, message.compact_revision())},
                   .must_list = true,
                   .compact_revision = message.compact_revision()});
  }
  const grpc::Status status = parse_cancel_reason(message.cancel_reason());
  if (is_refusal(status)) return refused(status);
  lose(status);
}

/// False if the stream is gone, or we are.
bool EtcdWatch::Impl::take_batch(pb::WatchResponse& message) {
  batch_bytes += message.ByteSizeLong();
  if (batch_bytes > kMaxBatch) {
    finish({.error = {ErrorKind::kFull,
                      fmt::format("cannot {}: etcd brings more than {} bytes of events at once", what,
                                  kMaxBatch)},
            .must_list = true});
    return false;
  }
  const bool is_progress = message.events().empty() && batch.empty();
  if (auto taken = take_events(message, prefix, next_revision, batch); !taken) {
    lose(grpc::Status(grpc::StatusCode::INTERNAL, taken.error().message));
    return false;
  }
  if (message.fragment()) return true;
  const std::vector<EtcdEvent> events = std::exchange(batch, {});
  batch_bytes = 0;
  // With events the header tells how far etcd is, which may be further than what it has brought.
  const std::int64_t revision = is_progress      ? message.header().revision()
                                : events.empty() ? 0
                                                 : events.back().entry.mod_revision;
  if (revision < next_revision) return true;
  next_revision = revision + 1;
  const auto open_scope = scope;
  if (handlers->on_events) std::shared_ptr(handlers)->on_events(revision, events);
  return open_scope->is_open() && stream != nullptr;
}

void EtcdWatch::Impl::on_closed(std::uint64_t number) {
  if (number != stream_number || stream == nullptr) return;
  std::exchange(stream, nullptr)->let_go();
  // A message that cannot be parsed ends the reading, but not the stream.
  timer.set(cluster->options().timeout,
            [this] { lose(grpc::Status(grpc::StatusCode::INTERNAL, "the answer is not etcd's")); });
}

void EtcdWatch::Impl::on_done(std::uint64_t number, const grpc::Status& status) {
  if (number != stream_number) return;
  if (is_refusal(status)) return refused(status);
  lose(status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stream has ended") : status);
}

void EtcdWatch::Impl::refused(const grpc::Status& status) {
  drop_stream();
  if (!has_new_token && cluster->forget_token(token)) {
    has_new_token = true;
    return open();
  }
  finish({.error = make_etcd_error(what, member->endpoint.name, status)});
}

void EtcdWatch::Impl::lose(const grpc::Status& status) {
  cluster->turn_from(*member);
  lose(make_etcd_error(what, member->endpoint.name, status));
}

void EtcdWatch::Impl::lose(const Error& error) {
  const Time now = cluster->loop().now();
  drop_stream();
  batch.clear();
  batch_bytes = 0;
  has_new_token = false;
  if (connected_at) {
    if (now - *connected_at >= kGoodConnection) failures = 0;
    disconnected_since = now;
    connected_at.reset();
  }
  ++failures;
  timer.set(backoff.after(failures, cluster->size()), [this] { open(); });
  if (handlers->on_disconnected) std::shared_ptr(handlers)->on_disconnected(disconnected_since, error);
}

void EtcdWatch::Impl::finish(const EtcdWatchEnd& end) {
  drop_stream();
  connected_at.reset();
  scope->close();
  if (handlers->on_end) std::shared_ptr(handlers)->on_end(end);
}

EtcdWatch::EtcdWatch(std::shared_ptr<EtcdCluster> cluster, std::string prefix, std::int64_t from_revision,
                     EtcdWatchHandlers handlers)
    : impl_(std::make_unique<Impl>(std::move(cluster), std::move(prefix), from_revision,
                                   std::move(handlers))) {}

EtcdWatch::~EtcdWatch() = default;

bool EtcdWatch::is_connected() const {
  return impl_->connected_at.has_value();
}

std::int64_t EtcdWatch::revision() const {
  return impl_->next_revision == 0 ? 0 : impl_->next_revision - 1;
}

}  // namespace vtep
