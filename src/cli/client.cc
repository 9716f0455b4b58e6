#include "cli/client.h"

#include <fmt/format.h>

#include <cctype>
#include <cstring>

#include "cli/call_queue.h"
#include "cli/unix_probe.h"

namespace vtep {

namespace {

ErrorKind kind_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
      return ErrorKind::kInvalid;
    case grpc::StatusCode::ALREADY_EXISTS:
      return ErrorKind::kExists;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorKind::kNotFound;
    case grpc::StatusCode::FAILED_PRECONDITION:
      return ErrorKind::kInUse;
    case grpc::StatusCode::PERMISSION_DENIED:
      return ErrorKind::kPermission;
    case grpc::StatusCode::UNAVAILABLE:
      return ErrorKind::kUnavailable;
    default:
      return ErrorKind::kSystem;
  }
}

// gRPC reads the path out of a URI (RFC 3986 section 2.1).
std::string uri_of(const std::string& path) {
  std::string uri = "unix:";
  for (const char c : path) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("/._-", c) != nullptr;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

}  // namespace

Result<void> Client::connect() {
  if (channel_) return {};
  if (Result<void> answered = probe_socket(socket_); !answered) return answered;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);                        // thousands of links are one message
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");  // a path is no host name to other servers
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(uri_of(socket_), grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kConnectPatience)) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("whoever listens on {} does not answer: is it vtepd?", socket_));
  }
  channel_ = std::move(channel);
  stub_ = v1::Vtep::NewStub(channel_);
  return {};
}

void Client::disconnect() {
  stub_.reset();
  channel_.reset();
}

bool Client::wait_until_closed(std::chrono::steady_clock::time_point limit) {
  if (!channel_) return true;
  const auto left = limit - std::chrono::steady_clock::now();
  return channel_->GetState(false) != GRPC_CHANNEL_READY ||
         channel_->WaitForStateChange(GRPC_CHANNEL_READY, std::chrono::system_clock::now() + left);
}

Error Client::error_of(const grpc::Status& status) const {
  const grpc::StatusCode code = status.error_code();
  const bool is_closed = channel_ && channel_->GetState(false) != GRPC_CHANNEL_READY;
  if (code == grpc::StatusCode::UNAVAILABLE && is_closed) {
    return {ErrorKind::kUnavailable,
            fmt::format("the daemon on {} went away before it had answered", socket_)};
  }
  if (code == grpc::StatusCode::DEADLINE_EXCEEDED || code == grpc::StatusCode::CANCELLED) {
    return {ErrorKind::kUnavailable,
            fmt::format("the daemon on {} did not answer within {} seconds", socket_, kPatience.count())};
  }
  if (code == grpc::StatusCode::UNIMPLEMENTED) {
    return {ErrorKind::kUnavailable,
            fmt::format("the daemon on {} does not know this command: it is older than vtep", socket_)};
  }
  return {kind_of(code), status.error_message()};
}

Result<void> Client::list_fdb(const v1::ListFdbRequest& request,
                              const std::function<bool(const v1::FdbEntry&)>& take) {
  if (Result<void> connected = connect(); !connected) return connected;
  grpc::ClientContext context;
  CallQueue queue(context, kPatience);
  const auto reader = stub_->AsyncListFdb(&context, request, queue.get(), CallQueue::kTag);
  bool more = queue.wait();
  while (more) {
    v1::ListFdbResponse part;
    reader->Read(&part, CallQueue::kTag);
    more = queue.wait();
    for (const v1::FdbEntry& entry : part.entries()) {
      if (take(entry)) continue;
      context.TryCancel();
      reader->Finish(&queue.status(), CallQueue::kTag);
      queue.wait();
      return {};
    }
  }
  reader->Finish(&queue.status(), CallQueue::kTag);
  queue.wait();
  if (!queue.status().ok()) return std::unexpected(error_of(queue.status()));
  return {};
}

Result<void> Client::monitor(const v1::MonitorRequest& request,
                             const std::function<bool(const v1::Event&)>& take) {
  if (Result<void> connected = connect(); !connected) return connected;
  grpc::ClientContext context;
  const auto reader = stub_->Monitor(&context, request);
  v1::Event event;
  while (reader->Read(&event)) {
    if (take(event)) continue;
    context.TryCancel();
    reader->Finish();
    return {};
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return std::unexpected(error_of(status));
  return fail(ErrorKind::kUnavailable, fmt::format("the daemon on {} ended", socket_));
}

}  // namespace vtep
