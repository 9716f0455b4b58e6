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

void FakeDaemon::record(const std::string& call, const google::protobuf::Message& request) {
  const std::scoped_lock lock(mutex_);
  const std::string text = request.ShortDebugString();
  requests.push_back(text.empty() ? call : call + ' ' + text);
}

grpc::Status FakeDaemon::AddLink(grpc::ServerContext*, const v1::AddLinkRequest* request,
                                 v1::AddLinkResponse*) {
  record("AddLink", *request);
  return status;
}

grpc::Status FakeDaemon::SetLink(grpc::ServerContext*, const v1::SetLinkRequest* request,
                                 v1::SetLinkResponse*) {
  record("SetLink", *request);
  return status;
}

grpc::Status FakeDaemon::DeleteLink(grpc::ServerContext*, const v1::DeleteLinkRequest* request,
                                    v1::DeleteLinkResponse*) {
  record("DeleteLink", *request);
  return status;
}

grpc::Status FakeDaemon::ListLinks(grpc::ServerContext*, const v1::ListLinksRequest* request,
                                   v1::ListLinksResponse* response) {
  record("ListLinks", *request);
  *response = links;
  return status;
}

grpc::Status FakeDaemon::ChangeFdb(grpc::ServerContext*, grpc::ServerReader<v1::FdbChange>* reader,
                                   v1::ChangeFdbResponse* response) {
  {
    const std::scoped_lock lock(mutex_);
    requests.emplace_back("ChangeFdb");
  }
  v1::FdbChange change;
  for (std::uint64_t number = 1; reader->Read(&change); ++number) {
    if (number == refuse_change) {
      response->set_refused(1);
      response->set_first_refused(number);
      response->set_first_refusal("refused by the test");
      if (!change.force()) return grpc::Status::OK;
      continue;
    }
    response->set_applied(response->applied() + 1);
    const std::scoped_lock lock(mutex_);
    changes.push_back(change);
  }
  return status;
}

grpc::Status FakeDaemon::ListFdb(grpc::ServerContext*, const v1::ListFdbRequest* request,
                                 grpc::ServerWriter<v1::ListFdbResponse>* writer) {
  record("ListFdb", *request);
  for (std::uint64_t round = 0; round < fdb_repeat; ++round) {
    for (const v1::ListFdbResponse& part : parts) {
      if (!writer->Write(part)) return grpc::Status::CANCELLED;
    }
  }
  return status;
}

grpc::Status FakeDaemon::FlushFdb(grpc::ServerContext*, const v1::FlushFdbRequest* request,
                                  v1::FlushFdbResponse*) {
  record("FlushFdb", *request);
  return status;
}

grpc::Status FakeDaemon::ListDrops(grpc::ServerContext*, const v1::ListDropsRequest* request,
                                   v1::ListDropsResponse* response) {
  record("ListDrops", *request);
  *response = drops;
  return status;
}

grpc::Status FakeDaemon::Monitor(grpc::ServerContext*, const v1::MonitorRequest* request,
                                 grpc::ServerWriter<v1::Event>* writer) {
  record("Monitor", *request);
  for (const v1::Event& event : events) writer->Write(event);
  return status;
}

grpc::Status FakeDaemon::GetDaemon(grpc::ServerContext*, const v1::GetDaemonRequest* request,
                                   v1::Daemon* response) {
  record("GetDaemon", *request);
  *response = daemon;
  return status;
}

grpc::Status FakeDaemon::StopDaemon(grpc::ServerContext*, const v1::StopDaemonRequest* request,
                                    v1::StopDaemonResponse*) {
  record("StopDaemon", *request);
  if (!status.ok()) return status;
  ending_ = std::jthread([this, mode = request->mode()] {
    stop();
    if (mode == v1::StopDaemonRequest::MODE_RESTART) start();
  });
  return grpc::Status::OK;
}

}  // namespace vtep
