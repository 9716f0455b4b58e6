#include "control/fake_etcd.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace vtep {
namespace {

const grpc::Status kUnknownCall(grpc::StatusCode::UNIMPLEMENTED, "the test does not answer that");

}  // namespace

class FakeEtcd::Auth final : public etcdserverpb::Auth::Service {
 public:
  explicit Auth(FakeEtcd& etcd) : etcd_(etcd) {}
  grpc::Status Authenticate(grpc::ServerContext*, const etcdserverpb::AuthenticateRequest* request,
                            etcdserverpb::AuthenticateResponse* response) override {
    return etcd_.on_login ? etcd_.on_login(*request, *response) : kUnknownCall;
  }

 private:
  FakeEtcd& etcd_;
};

class FakeEtcd::Watches final : public etcdserverpb::Watch::Service {
 public:
  using Stream = grpc::ServerReaderWriter<etcdserverpb::WatchResponse, etcdserverpb::WatchRequest>;

  explicit Watches(FakeEtcd& etcd) : etcd_(etcd) {}
  grpc::Status Watch(grpc::ServerContext*, Stream* stream) override {
    etcdserverpb::WatchRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    for (const auto& response : etcd_.events) stream->Write(response);
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  }

 private:
  FakeEtcd& etcd_;
};

FakeEtcd::FakeEtcd() : auth_(std::make_unique<Auth>(*this)), watch_(std::make_unique<Watches>(*this)) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  builder.RegisterService(auth_.get());
  builder.RegisterService(watch_.get());
  server_ = builder.BuildAndStart();
  if (!server_) throw std::runtime_error("no server for the test");
  endpoint_ = fmt::format("http://127.0.0.1:{}", port);
}

FakeEtcd::~FakeEtcd() {
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

grpc::Status FakeEtcd::Range(grpc::ServerContext*, const etcdserverpb::RangeRequest* request,
                             etcdserverpb::RangeResponse* response) {
  return on_range ? on_range(*request, *response) : kUnknownCall;
}

grpc::Status FakeEtcd::Txn(grpc::ServerContext*, const etcdserverpb::TxnRequest* request,
                           etcdserverpb::TxnResponse* response) {
  return on_txn ? on_txn(*request, *response) : kUnknownCall;
}

BluntServer::BluntServer(std::string words)
    : words_(std::move(words)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, 64) != 0 ||
      ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no server for the test");
  }
  endpoint_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  if (!words_.empty()) thread_ = std::jthread([this] { serve(); });
}

BluntServer::~BluntServer() {
  ::shutdown(fd_, SHUT_RDWR);  // wakes accept()
  if (thread_.joinable()) thread_.join();
  ::close(fd_);
}

void BluntServer::serve() {
  for (;;) {
    const int connection = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const timeval patience = {.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    [[maybe_unused]] const ssize_t sent = ::send(connection, words_.data(), words_.size(), MSG_NOSIGNAL);
    // What the client says is taken, so that closing is no reset, which would overtake the words.
    ::shutdown(connection, SHUT_WR);
    char buffer[4096];
    while (::read(connection, buffer, sizeof buffer) > 0) {
    }
    ::close(connection);
  }
}

}  // namespace vtep
