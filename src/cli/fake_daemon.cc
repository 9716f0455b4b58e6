#include "cli/fake_daemon.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace vtep {

FakeDaemon::FakeDaemon() {
  std::string pattern = (std::filesystem::temp_directory_path() / "vtep-cli-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = pattern;
  socket_ = directory_ + "/vtepd.sock";
}

FakeDaemon::~FakeDaemon() {
  if (ending_.joinable()) ending_.join();
  stop();
  std::filesystem::remove_all(directory_);
}

void FakeDaemon::start() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (!server_) throw std::runtime_error("cannot listen on " + socket_);
}

void FakeDaemon::stop() {
  if (server_) server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_.reset();
}

void FakeDaemon::synchronize() {
  const std::scoped_lock lock(mutex_);
}

grpc::Status FakeDaemon::record(const std::string& call, const google::protobuf::Message& request) {
  const std::string text = request.ShortDebugString();
  requests.push_back(text.empty() ? call : call + ' ' + text);
  if (requests.size() == refuse_request) return {grpc::StatusCode::ALREADY_EXISTS, "refused by the test"};
  return status;
}

grpc::Status FakeDaemon::AddLink(grpc::ServerContext*, const v1::AddLinkRequest* request,
                                 v1::AddLinkResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("AddLink", *request);
}

grpc::Status FakeDaemon::SetLink(grpc::ServerContext*, const v1::SetLinkRequest* request,
                                 v1::SetLinkResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("SetLink", *request);
}

grpc::Status FakeDaemon::DeleteLink(grpc::ServerContext*, const v1::DeleteLinkRequest* request,
                                    v1::DeleteLinkResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("DeleteLink", *request);
}

grpc::Status FakeDaemon::ListLinks(grpc::ServerContext*, const v1::ListLinksRequest* request,
                                   v1::ListLinksResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = links;
  return record("ListLinks", *request);
}

grpc::Status FakeDaemon::ChangeFdb(grpc::ServerContext* context, grpc::ServerReader<v1::FdbChange>* reader,
                                   v1::ChangeFdbResponse* response) {
  {
    const std::scoped_lock lock(mutex_);
    requests.emplace_back("ChangeFdb");
  }
  v1::FdbChange change;
  for (std::uint64_t number = 1; reader->Read(&change); ++number) {
    const std::scoped_lock lock(mutex_);
    if (number != refuse_change) {
      response->set_applied(response->applied() + 1);
      changes.push_back(change);
      continue;
    }
    if (!change.force()) {
      context->AddTrailingMetadata("first-refused", std::to_string(number));
      return {grpc::StatusCode::ALREADY_EXISTS, "refused by the test"};
    }
    response->set_refused(1);
    response->set_first_refused(number);
    response->set_first_refusal("refused by the test");
  }
  const std::scoped_lock lock(mutex_);
  return status;
}

grpc::Status FakeDaemon::ListFdb(grpc::ServerContext*, const v1::ListFdbRequest* request,
                                 grpc::ServerWriter<v1::ListFdbResponse>* writer) {
  std::unique_lock lock(mutex_);
  const grpc::Status result = record("ListFdb", *request);
  const std::vector<v1::ListFdbResponse> copy = parts;
  const std::uint64_t rounds = fdb_repeat;
  lock.unlock();
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (const v1::ListFdbResponse& part : copy) {
      if (!writer->Write(part)) return grpc::Status::CANCELLED;
    }
  }
  return result;
}

grpc::Status FakeDaemon::FlushFdb(grpc::ServerContext*, const v1::FlushFdbRequest* request,
                                  v1::FlushFdbResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("FlushFdb", *request);
}

grpc::Status FakeDaemon::ListDrops(grpc::ServerContext*, const v1::ListDropsRequest* request,
                                   v1::ListDropsResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = drops;
  return record("ListDrops", *request);
}

grpc::Status FakeDaemon::ChangeVni(grpc::ServerContext*, const v1::VniChange* request, v1::ChangeResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("ChangeVni", *request);
}

grpc::Status FakeDaemon::ListVnis(grpc::ServerContext*, const v1::ListVnisRequest* request,
                                  v1::ListVnisResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = vnis;
  return record("ListVnis", *request);
}

grpc::Status FakeDaemon::ChangeNexthop(grpc::ServerContext*, const v1::NexthopChange* request,
                                       v1::ChangeResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("ChangeNexthop", *request);
}

grpc::Status FakeDaemon::ListNexthops(grpc::ServerContext*, const v1::ListNexthopsRequest* request,
                                      v1::ListNexthopsResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = nexthops;
  return record("ListNexthops", *request);
}

grpc::Status FakeDaemon::ChangeMdb(grpc::ServerContext*, const v1::MdbChange* request, v1::ChangeResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("ChangeMdb", *request);
}

grpc::Status FakeDaemon::ListMdb(grpc::ServerContext*, const v1::ListMdbRequest* request,
                                 v1::ListMdbResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = mdb;
  return record("ListMdb", *request);
}

grpc::Status FakeDaemon::ChangeNeighbour(grpc::ServerContext*, const v1::NeighbourChange* request,
                                         v1::ChangeResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("ChangeNeighbour", *request);
}

grpc::Status FakeDaemon::ListNeighbours(grpc::ServerContext*, const v1::ListNeighboursRequest* request,
                                        v1::ListNeighboursResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = neighbours;
  return record("ListNeighbours", *request);
}

grpc::Status FakeDaemon::SetRemote(grpc::ServerContext*, const v1::Remote* request, v1::ChangeResponse*) {
  const std::scoped_lock lock(mutex_);
  return record("SetRemote", *request);
}

grpc::Status FakeDaemon::ListRemotes(grpc::ServerContext*, const v1::ListRemotesRequest* request,
                                     v1::ListRemotesResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = remotes;
  return record("ListRemotes", *request);
}

grpc::Status FakeDaemon::ListSources(grpc::ServerContext*, const v1::ListSourcesRequest* request,
                                     v1::ListSourcesResponse* response) {
  const std::scoped_lock lock(mutex_);
  *response = sources;
  return record("ListSources", *request);
}

grpc::Status FakeDaemon::Monitor(grpc::ServerContext*, const v1::MonitorRequest* request,
                                 grpc::ServerWriter<v1::Event>* writer) {
  const std::scoped_lock lock(mutex_);
  for (const v1::Event& event : events) writer->Write(event);
  return record("Monitor", *request);
}

grpc::Status FakeDaemon::GetDaemon(grpc::ServerContext*, const v1::GetDaemonRequest* request,
                                   v1::Daemon* response) {
  const std::scoped_lock lock(mutex_);
  *response = daemon;
  return record("GetDaemon", *request);
}

grpc::Status FakeDaemon::StopDaemon(grpc::ServerContext*, const v1::StopDaemonRequest* request,
                                    v1::StopDaemonResponse*) {
  const std::scoped_lock lock(mutex_);
  if (grpc::Status result = record("StopDaemon", *request); !result.ok()) return result;
  ending_ = std::jthread([this, mode = request->mode(), delay = pause] {
    std::this_thread::sleep_for(delay);
    stop();
    if (mode == v1::StopDaemonRequest::MODE_RESTART) start();
  });
  return grpc::Status::OK;
}

}  // namespace vtep
