// A daemon without a data plane: answers what a test tells it to, over a real unix socket. For tests.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "vtep/v1/vtep.grpc.pb.h"

namespace vtep {

/// Answers and requests are plain members: a test touches them between calls, never during one, and calls
/// synchronize() in front of each call and behind it.
class FakeDaemon final : public v1::Vtep::Service {
 public:
  /// Listens on a new socket in a directory of its own.
  FakeDaemon();
  ~FakeDaemon() override;

  const std::string& socket() const { return socket_; }
  void synchronize();
  void start();
  void stop();

  // Answers.
  grpc::Status status;  ///< of every call
  v1::ListLinksResponse links;
  std::vector<v1::ListFdbResponse> parts;  ///< of ListFdb
  std::uint64_t fdb_repeat = 1;            ///< how often ListFdb sends its parts
  std::uint64_t refuse_change = 0;         ///< the number of the change that is refused; 0: none
  v1::ListDropsResponse drops;
  v1::ListVnisResponse vnis;
  v1::ListNexthopsResponse nexthops;
  v1::ListMdbResponse mdb;
  v1::ListNeighboursResponse neighbours;
  v1::ListRemotesResponse remotes;
  v1::ListSourcesResponse sources;
  std::size_t refuse_request = 0;  ///< the number of the one-answer call that is refused; 0: none
  std::vector<v1::Event> events;   ///< of Monitor, which then ends
  v1::Daemon daemon;
  std::chrono::milliseconds pause{0};  ///< between the answer of StopDaemon and the end

  // Requests.
  std::vector<std::string> requests;   ///< "AddLink name: …", one per call
  std::vector<v1::FdbChange> changes;  ///< over all calls

  grpc::Status AddLink(grpc::ServerContext* context, const v1::AddLinkRequest* request,
                       v1::AddLinkResponse* response) override;
  grpc::Status SetLink(grpc::ServerContext* context, const v1::SetLinkRequest* request,
                       v1::SetLinkResponse* response) override;
  grpc::Status DeleteLink(grpc::ServerContext* context, const v1::DeleteLinkRequest* request,
                          v1::DeleteLinkResponse* response) override;
  grpc::Status ListLinks(grpc::ServerContext* context, const v1::ListLinksRequest* request,
                         v1::ListLinksResponse* response) override;
  grpc::Status ChangeFdb(grpc::ServerContext* context, grpc::ServerReader<v1::FdbChange>* reader,
                         v1::ChangeFdbResponse* response) override;
  grpc::Status ListFdb(grpc::ServerContext* context, const v1::ListFdbRequest* request,
                       grpc::ServerWriter<v1::ListFdbResponse>* writer) override;
  grpc::Status FlushFdb(grpc::ServerContext* context, const v1::FlushFdbRequest* request,
                        v1::FlushFdbResponse* response) override;
  grpc::Status ListDrops(grpc::ServerContext* context, const v1::ListDropsRequest* request,
                         v1::ListDropsResponse* response) override;
  grpc::Status ChangeVni(grpc::ServerContext* context, const v1::VniChange* request,
                         v1::ChangeResponse* response) override;
  grpc::Status ListVnis(grpc::ServerContext* context, const v1::ListVnisRequest* request,
                        v1::ListVnisResponse* response) override;
  grpc::Status ChangeNexthop(grpc::ServerContext* context, const v1::NexthopChange* request,
                             v1::ChangeResponse* response) override;
  grpc::Status ListNexthops(grpc::ServerContext* context, const v1::ListNexthopsRequest* request,
                            v1::ListNexthopsResponse* response) override;
  grpc::Status ChangeMdb(grpc::ServerContext* context, const v1::MdbChange* request,
                         v1::ChangeResponse* response) override;
  grpc::Status ListMdb(grpc::ServerContext* context, const v1::ListMdbRequest* request,
                       v1::ListMdbResponse* response) override;
  grpc::Status ChangeNeighbour(grpc::ServerContext* context, const v1::NeighbourChange* request,
                               v1::ChangeResponse* response) override;
  grpc::Status ListNeighbours(grpc::ServerContext* context, const v1::ListNeighboursRequest* request,
                              v1::ListNeighboursResponse* response) override;
  grpc::Status SetRemote(grpc::ServerContext* context, const v1::Remote* request,
                         v1::ChangeResponse* response) override;
  grpc::Status ListRemotes(grpc::ServerContext* context, const v1::ListRemotesRequest* request,
                           v1::ListRemotesResponse* response) override;
  grpc::Status ListSources(grpc::ServerContext* context, const v1::ListSourcesRequest* request,
                           v1::ListSourcesResponse* response) override;
  grpc::Status Monitor(grpc::ServerContext* context, const v1::MonitorRequest* request,
                       grpc::ServerWriter<v1::Event>* writer) override;
  grpc::Status GetDaemon(grpc::ServerContext* context, const v1::GetDaemonRequest* request,
                         v1::Daemon* response) override;
  /// Answers, and ends the daemon soon after; a restart starts it again.
  grpc::Status StopDaemon(grpc::ServerContext* context, const v1::StopDaemonRequest* request,
                          v1::StopDaemonResponse* response) override;

 private:
  // Precondition: mutex_ is held.
  grpc::Status record(const std::string& call, const google::protobuf::Message& request);

  std::string directory_;
  std::string socket_;
  std::mutex mutex_;  // gRPC's threads hold it while they touch answers, requests or ending_
  std::jthread ending_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace vtep
