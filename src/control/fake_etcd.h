// For tests only: servers that say what a real etcd would not.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "etcd/rpc.grpc.pb.h"

namespace vtep {

/// Speaks gRPC, and answers what a test tells it to. The functions are set before the first call, and are
/// called in gRPC's threads; what has none is not implemented.
class FakeEtcd final : public etcdserverpb::KV::Service {
 public:
  FakeEtcd();
  ~FakeEtcd() override;
  const std::string& endpoint() const { return endpoint_; }

  std::function<grpc::Status(const etcdserverpb::RangeRequest&, etcdserverpb::RangeResponse&)> on_range;
  std::function<grpc::Status(const etcdserverpb::TxnRequest&, etcdserverpb::TxnResponse&)> on_txn;
  std::function<grpc::Status(const etcdserverpb::AuthenticateRequest&, etcdserverpb::AuthenticateResponse&)>
      on_login;
  /// Said to whoever watches, then nothing until the watch goes.
  std::vector<etcdserverpb::WatchResponse> events;

 private:
  class Auth;
  class Watches;
  grpc::Status Range(grpc::ServerContext* context, const etcdserverpb::RangeRequest* request,
                     etcdserverpb::RangeResponse* response) override;
  grpc::Status Txn(grpc::ServerContext* context, const etcdserverpb::TxnRequest* request,
                   etcdserverpb::TxnResponse* response) override;

  std::string endpoint_;
  std::unique_ptr<Auth> auth_;
  std::unique_ptr<Watches> watch_;
  std::unique_ptr<grpc::Server> server_;
};

/// Accepts TCP connections and says the same to everybody; what it is told does not matter to it.
class BluntServer {
 public:
  /// Nothing: it does not even accept, so that connections are there, and silent.
  explicit BluntServer(std::string words);
  ~BluntServer();
  BluntServer(const BluntServer&) = delete;
  BluntServer& operator=(const BluntServer&) = delete;
  const std::string& endpoint() const { return endpoint_; }

 private:
  void serve();

  const std::string words_;
  std::string endpoint_;
  int fd_;
  std::jthread thread_;
};

}  // namespace vtep
