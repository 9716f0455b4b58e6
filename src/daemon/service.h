// The gRPC service vtep.v1.Vtep. Handlers run on gRPC's threads and do their work on the loop's thread, one
// posted task at a time; what is large (tables) is copied there and turned into messages here, so that
// packets never wait for a client.
#pragma once

#include <functional>

#include "daemon/monitor.h"
#include "daemon/overlay.h"
#include "vtep/v1/vtep.grpc.pb.h"

namespace vtep {

class Service final : public v1::Vtep::Service {
 public:
  /// What the daemon says of itself and its sources, and how it is asked to end; called on the loop's thread.
  struct Host {
    std::function<v1::Daemon()> describe;
    std::function<Result<std::vector<v1::Source>>(const std::string& name)> list_sources;
    std::function<void(v1::StopDaemonRequest::Mode)> stop;
  };

  /// All must outlive it. The loop must run as long as calls may arrive.
  Service(Loop& loop, Overlay& overlay, Host host);

  /// Ends the streams of all watchers.
  void close() { monitor_.close(); }

  grpc::Status AddLink(grpc::ServerContext*, const v1::AddLinkRequest*, v1::AddLinkResponse*) override;
  grpc::Status SetLink(grpc::ServerContext*, const v1::SetLinkRequest*, v1::SetLinkResponse*) override;
  grpc::Status DeleteLink(grpc::ServerContext*, const v1::DeleteLinkRequest*,
                          v1::DeleteLinkResponse*) override;
  grpc::Status ListLinks(grpc::ServerContext*, const v1::ListLinksRequest*, v1::ListLinksResponse*) override;
  grpc::Status ChangeFdb(grpc::ServerContext*, grpc::ServerReader<v1::FdbChange>*,
                         v1::ChangeFdbResponse*) override;
  grpc::Status ListFdb(grpc::ServerContext*, const v1::ListFdbRequest*,
                       grpc::ServerWriter<v1::ListFdbResponse>*) override;
  grpc::Status FlushFdb(grpc::ServerContext*, const v1::FlushFdbRequest*, v1::FlushFdbResponse*) override;
  grpc::Status ListDrops(grpc::ServerContext*, const v1::ListDropsRequest*, v1::ListDropsResponse*) override;
  grpc::Status ChangeVni(grpc::ServerContext*, const v1::VniChange*, v1::ChangeResponse*) override;
  grpc::Status ChangeNexthop(grpc::ServerContext*, const v1::NexthopChange*, v1::ChangeResponse*) override;
  grpc::Status ChangeMdb(grpc::ServerContext*, const v1::MdbChange*, v1::ChangeResponse*) override;
  grpc::Status ChangeNeighbour(grpc::ServerContext*, const v1::NeighbourChange*,
                               v1::ChangeResponse*) override;
  grpc::Status SetRemote(grpc::ServerContext*, const v1::Remote*, v1::ChangeResponse*) override;
  grpc::Status ListVnis(grpc::ServerContext*, const v1::ListVnisRequest*, v1::ListVnisResponse*) override;
  grpc::Status ListNexthops(grpc::ServerContext*, const v1::ListNexthopsRequest*,
                            v1::ListNexthopsResponse*) override;
  grpc::Status ListMdb(grpc::ServerContext*, const v1::ListMdbRequest*, v1::ListMdbResponse*) override;
  grpc::Status ListNeighbours(grpc::ServerContext*, const v1::ListNeighboursRequest*,
                              v1::ListNeighboursResponse*) override;
  grpc::Status ListRemotes(grpc::ServerContext*, const v1::ListRemotesRequest*,
                           v1::ListRemotesResponse*) override;
  grpc::Status ListSources(grpc::ServerContext*, const v1::ListSourcesRequest*,
                           v1::ListSourcesResponse*) override;
  grpc::Status Monitor(grpc::ServerContext*, const v1::MonitorRequest*,
                       grpc::ServerWriter<v1::Event>*) override;
  grpc::Status GetDaemon(grpc::ServerContext*, const v1::GetDaemonRequest*, v1::Daemon*) override;
  grpc::Status StopDaemon(grpc::ServerContext*, const v1::StopDaemonRequest*,
                          v1::StopDaemonResponse*) override;

 private:
  /// Runs `work` on the loop's thread and returns what it returns.
  template <typename Work>
  auto on_loop(Work work) -> decltype(work());

  Loop& loop_;
  Overlay& overlay_;
  const Host host_;
  vtep::Monitor monitor_;
};

}  // namespace vtep
