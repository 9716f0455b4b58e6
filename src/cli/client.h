// The command's side of the API: one channel to one daemon over its unix socket.
//
// Every failure comes back as an Error whose sentence is ready for the person who typed the command: kInvalid
// if the daemon found no sense in the request, otherwise what the system refused. Not thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "vtep/v1/vtep.grpc.pb.h"

namespace vtep {

class Client {
 public:
  /// How long anything but a stream may take, and how long a stream may be silent.
  static constexpr std::chrono::seconds kPatience{30};
  /// How long a daemon may take to accept a connection.
  static constexpr std::chrono::seconds kConnectPatience{5};

  explicit Client(std::string socket) : socket_(std::move(socket)) {}

  const std::string& socket() const { return socket_; }
  /// Makes sure that a daemon answers; every call below does so first. Cheap once connected.
  Result<void> connect();
  /// Forgets the channel: the next call connects anew.
  void disconnect();
  /// Waits until the daemon of the last call closes the connection, as it does when it ends. False after
  /// `limit`.
  bool wait_until_closed(std::chrono::steady_clock::time_point limit);

  template <typename Request, typename Response>
  using Method = grpc::Status (v1::Vtep::Stub::*)(grpc::ClientContext*, const Request&, Response*);

  /// `client.call(&v1::Vtep::Stub::AddLink, request)`
  template <typename Request, typename Response>
  Result<Response> call(Method<Request, Response> method, const Request& request) {
    if (Result<void> connected = connect(); !connected) return std::unexpected(connected.error());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return std::unexpected(error_of(status));
    return response;
  }

  /// Calls `take` for every entry as it arrives, until it returns false.
  Result<void> list_fdb(const v1::ListFdbRequest& request,
                        const std::function<bool(const v1::FdbEntry&)>& take);
  /// Calls `take` for every event, until it returns false or the daemon ends.
  Result<void> monitor(const v1::MonitorRequest& request, const std::function<bool(const v1::Event&)>& take);

  /// Precondition: connect() succeeded.
  v1::Vtep::Stub& stub() { return *stub_; }
  /// Precondition: `status` is not ok.
  Error error_of(const grpc::Status& status) const;

 private:
  const std::string socket_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Vtep::Stub> stub_;
};

}  // namespace vtep
