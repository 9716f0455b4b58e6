#include "daemon/service.h"

#include <algorithm>
#include <future>
#include <span>
#include <utility>

namespace vtep {
namespace {

constexpr std::size_t kEntriesPerMessage = 500;
constexpr std::size_t kChangesPerTask = 2000;  // about 2 ms of the loop's time
constexpr Duration kCancelPoll = std::chrono::milliseconds(200);

grpc::Status to_status(const Error& error) {
  const auto code = [&] {
    switch (error.kind) {
      case ErrorKind::kInvalid:
        return grpc::StatusCode::INVALID_ARGUMENT;
      case ErrorKind::kExists:
        return grpc::StatusCode::ALREADY_EXISTS;
      case ErrorKind::kNotFound:
        return grpc::StatusCode::NOT_FOUND;
      case ErrorKind::kFull:
        return grpc::StatusCode::RESOURCE_EXHAUSTED;
      case ErrorKind::kInUse:
        return grpc::StatusCode::FAILED_PRECONDITION;
      case ErrorKind::kPermission:
        return grpc::StatusCode::PERMISSION_DENIED;
      case ErrorKind::kUnavailable:
        return grpc::StatusCode::UNAVAILABLE;
      case ErrorKind::kSystem:
        break;
    }
    return grpc::StatusCode::INTERNAL;
  };
  return {code(), error.message};
}

template <typename T>
grpc::Status to_status(const Result<T>& result) {
  return result ? grpc::Status::OK : to_status(result.error());
}

v1::Event set_event() {
  v1::Event event;
  event.set_action(v1::Event::ACTION_SET);
  return event;
}

}  // namespace

Service::Service(Loop& loop, Overlay& overlay, Host host)
    : loop_(loop), overlay_(overlay), host_(std::move(host)) {}

template <typename Work>
auto Service::on_loop(Work work) -> decltype(work()) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto done = task.get_future();
  loop_.post([&task] { task(); });
  return done.get();
}

grpc::Status Service::AddLink(grpc::ServerContext*, const v1::AddLinkRequest* request,
                              v1::AddLinkResponse* response) {
  const auto name = on_loop([&] { return overlay_.add_link(request->name(), request->spec()); });
  if (name) response->set_name(*name);
  return to_status(name);
}

grpc::Status Service::SetLink(grpc::ServerContext*, const v1::SetLinkRequest* request, v1::SetLinkResponse*) {
  const auto up = request->has_up() ? std::optional(request->up()) : std::nullopt;
  return to_status(on_loop([&]() -> Result<void> {
    if (auto done = overlay_.set_link(request->name(), request->spec(), up); !done) return done;
    if (request->new_name().empty()) return {};
    return overlay_.rename_link(request->name(), request->new_name());
  }));
}

grpc::Status Service::DeleteLink(grpc::ServerContext*, const v1::DeleteLinkRequest* request,
                                 v1::DeleteLinkResponse*) {
  return to_status(on_loop([&] { return overlay_.delete_link(request->name()); }));
}

grpc::Status Service::ListLinks(grpc::ServerContext*, const v1::ListLinksRequest* request,
                                v1::ListLinksResponse* response) {
  auto links = on_loop([&] { return overlay_.list_links(request->name()); });
  if (links) response->mutable_links()->Assign(links->begin(), links->end());
  return to_status(links);
}

grpc::Status Service::ChangeFdb(grpc::ServerContext* context, grpc::ServerReader<v1::FdbChange>* reader,
                                v1::ChangeFdbResponse* response) {
  std::vector<v1::FdbChange> changes;
  std::uint64_t before = 0;  // changes of the stream in earlier tasks
  const auto apply = [&]() -> grpc::Status {
    const Overlay::FdbOutcome outcome = on_loop([&] { return overlay_.change_fdb(changes); });
    response->set_applied(response->applied() + outcome.applied);
    if (outcome.first_refusal && response->refused() == 0) {
      response->set_first_refusal(outcome.first_refusal->message);
      response->set_first_refused(before + outcome.first_refused);
    }
    response->set_refused(response->refused() + outcome.refused);
    const bool stopped = outcome.applied + outcome.refused < changes.size() ||
                         (outcome.refused > 0 && !changes.back().force());
    before += changes.size();
    changes.clear();
    if (!stopped) return grpc::Status::OK;
    // A status carries no response: which change it was travels beside it.
    context->AddTrailingMetadata("first-refused", std::to_string(response->first_refused()));
    return to_status(*outcome.first_refusal);
  };

  v1::FdbChange change;
  while (reader->Read(&change)) {
    changes.push_back(std::move(change));
    if (changes.size() < kChangesPerTask) continue;
    if (auto status = apply(); !status.ok()) return status;
  }
  return apply();
}

grpc::Status Service::ListFdb(grpc::ServerContext* context, const v1::ListFdbRequest* request,
                              grpc::ServerWriter<v1::ListFdbResponse>* writer) {
  auto snapshot = on_loop([&] { return overlay_.list_fdb(*request); });
  if (!snapshot) return to_status(snapshot);
  // By link and address, so that the flood list stands first; remotes of one entry stay in their order.
  std::ranges::stable_sort(snapshot->entries, {},
                           [](const FdbEntry& entry) { return std::pair(entry.link, entry.mac); });
  std::span<const FdbEntry> rest = snapshot->entries;
  while (!rest.empty() && !context->IsCancelled()) {
    const auto part = rest.first(std::min(rest.size(), kEntriesPerMessage));
    v1::ListFdbResponse response;
    for (const FdbEntry& entry : part) *response.add_entries() = snapshot->message(entry);
    if (!writer->Write(response)) break;
    rest = rest.subspan(part.size());
  }
  return grpc::Status::OK;
}

grpc::Status Service::FlushFdb(grpc::ServerContext*, const v1::FlushFdbRequest* request,
                               v1::FlushFdbResponse* response) {
  const auto removed = on_loop([&] { return overlay_.flush_fdb(*request); });
  if (removed) response->set_removed(*removed);
  return to_status(removed);
}

grpc::Status Service::ListDrops(grpc::ServerContext*, const v1::ListDropsRequest* request,
                                v1::ListDropsResponse* response) {
  const auto drops = on_loop([&]() -> Result<std::vector<v1::DropCount>> {
    if (!request->dev().empty() && !overlay_.has_link(request->dev())) {
      return fail(ErrorKind::kNotFound, "Cannot find device \"" + request->dev() + "\"");
    }
    return overlay_.list_drops(request->dev());
  });
  if (drops) response->mutable_drops()->Assign(drops->begin(), drops->end());
  return to_status(drops);
}

grpc::Status Service::ChangeVni(grpc::ServerContext*, const v1::VniChange* request, v1::ChangeResponse*) {
  return to_status(on_loop([&] { return overlay_.change_vni(*request); }));
}

grpc::Status Service::ListVnis(grpc::ServerContext*, const v1::ListVnisRequest* request,
                               v1::ListVnisResponse* response) {
  auto found = on_loop([&] { return overlay_.list_vnis(request->dev()); });
  if (found) response->mutable_vnis()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::ChangeNexthop(grpc::ServerContext*, const v1::NexthopChange* request,
                                    v1::ChangeResponse*) {
  return to_status(on_loop([&] { return overlay_.change_nexthop(*request); }));
}

grpc::Status Service::ListNexthops(grpc::ServerContext*, const v1::ListNexthopsRequest* request,
                                   v1::ListNexthopsResponse* response) {
  auto found = on_loop([&] { return overlay_.list_nexthops(request->id()); });
  if (found) response->mutable_nexthops()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::ChangeMdb(grpc::ServerContext*, const v1::MdbChange* request, v1::ChangeResponse*) {
  return to_status(on_loop([&] { return overlay_.change_mdb(*request); }));
}

grpc::Status Service::ListMdb(grpc::ServerContext*, const v1::ListMdbRequest* request,
                              v1::ListMdbResponse* response) {
  auto found = on_loop([&] { return overlay_.list_mdb(request->dev()); });
  if (found) response->mutable_entries()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::ChangeNeighbour(grpc::ServerContext*, const v1::NeighbourChange* request,
                                      v1::ChangeResponse*) {
  return to_status(on_loop([&] { return overlay_.change_neighbour(*request); }));
}

grpc::Status Service::ListNeighbours(grpc::ServerContext*, const v1::ListNeighboursRequest* request,
                                     v1::ListNeighboursResponse* response) {
  auto found = on_loop([&] { return overlay_.list_neighbours(request->dev()); });
  if (found) response->mutable_neighbours()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::SetRemote(grpc::ServerContext*, const v1::Remote* request, v1::ChangeResponse*) {
  return to_status(on_loop([&] { return overlay_.set_remote(*request); }));
}

grpc::Status Service::ListRemotes(grpc::ServerContext*, const v1::ListRemotesRequest* request,
                                  v1::ListRemotesResponse* response) {
  auto found = on_loop([&] { return overlay_.list_remotes(request->dev()); });
  if (found) response->mutable_remotes()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::ListSources(grpc::ServerContext*, const v1::ListSourcesRequest* request,
                                  v1::ListSourcesResponse* response) {
  auto found = on_loop([&] { return host_.list_sources(request->name()); });
  if (found) response->mutable_sources()->Assign(found->begin(), found->end());
  return to_status(found);
}

grpc::Status Service::Monitor(grpc::ServerContext* context, const v1::MonitorRequest* request,
                              grpc::ServerWriter<v1::Event>* writer) {
  const bool all = wants_everything(*request);
  std::shared_ptr<vtep::Monitor::Subscription> subscription;
  std::vector<v1::Link> links;
  Overlay::FdbSnapshot fdb;
  std::vector<v1::Neighbour> neighbours;
  std::vector<v1::MdbEntry> mdb;
  // One task, so that no change falls between what there is and what comes.
  on_loop([&] {
    subscription = monitor_.subscribe(*request);
    overlay_.on_change([this](const v1::Event& event) { monitor_.publish(event); });
    if (!request->initial()) return;
    if (all || request->links()) links = *overlay_.list_links("");
    if (all || request->fdb()) fdb = *overlay_.list_fdb({});
    if (all || request->neighbours()) neighbours = *overlay_.list_neighbours("");
    if (all || request->mdb()) mdb = *overlay_.list_mdb("");
  });

  bool open = true;
  v1::Event event = set_event();
  for (const v1::Link& link : links) {
    *event.mutable_link() = link;
    open = open && writer->Write(event);
  }
  for (const FdbEntry& entry : fdb.entries) {
    *event.mutable_fdb() = fdb.message(entry);
    open = open && writer->Write(event);
  }
  for (const v1::Neighbour& neighbour : neighbours) {
    *event.mutable_neighbour() = neighbour;
    open = open && writer->Write(event);
  }
  for (const v1::MdbEntry& entry : mdb) {
    *event.mutable_mdb() = entry;
    open = open && writer->Write(event);
  }
  while (open && subscription->is_open() && !context->IsCancelled()) {
    if (const auto next = subscription->next(kCancelPoll)) open = writer->Write(*next);
  }

  on_loop([&] {
    if (monitor_.unsubscribe(subscription) == 0) overlay_.on_change({});
  });
  return grpc::Status::OK;
}

grpc::Status Service::GetDaemon(grpc::ServerContext*, const v1::GetDaemonRequest*, v1::Daemon* response) {
  *response = on_loop([&] { return host_.describe(); });
  return grpc::Status::OK;
}

grpc::Status Service::StopDaemon(grpc::ServerContext*, const v1::StopDaemonRequest* request,
                                 v1::StopDaemonResponse*) {
  if (request->mode() == v1::StopDaemonRequest::MODE_UNSPECIFIED) {
    return to_status(Error{ErrorKind::kInvalid, "say whether to stop, detach or restart"});
  }
  on_loop([&] { host_.stop(request->mode()); });
  return grpc::Status::OK;
}

}  // namespace vtep
