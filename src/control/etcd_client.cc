#include "control/etcd_client.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "control/call_scope.h"
#include "control/etcd_cluster.h"
#include "control/etcd_message.h"
#include "control/keep_alive.h"
#include "control/printable.h"

namespace vtep {
namespace {

namespace pb = etcdserverpb;

using Trace = EtcdCluster::Trace;

/// Whatever a page is at, its revision may be compacted meanwhile.
constexpr int kMaxListings = 3;

void add_put(pb::TxnRequest& txn, const std::string& key, const std::string& value, std::int64_t lease) {
  pb::PutRequest& put = *txn.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease);
}

}  // namespace

struct EtcdClient::Listing {
  std::string prefix;
  std::string what;
  Done<EtcdListing> done;
  EtcdListing result;
  std::size_t bytes = 0;
  int begun = 1;
};

Result<std::unique_ptr<EtcdClient>> EtcdClient::create(Loop& loop, const EtcdOptions& options) {
  auto cluster = EtcdCluster::create(loop, options);
  if (!cluster) return std::unexpected(std::move(cluster).error());
  return std::unique_ptr<EtcdClient>(new EtcdClient(std::move(*cluster)));
}

EtcdClient::EtcdClient(std::shared_ptr<EtcdCluster> cluster)
    : cluster_(std::move(cluster)), scope_(std::make_shared<CallScope>(cluster_->loop())) {}

EtcdClient::~EtcdClient() {
  scope_->close();
}

template <typename T>
bool EtcdClient::accept(std::string_view what, const std::string& key, const std::string& value,
                        const Done<T>& done) {
  Error error;
  if (key.empty()) {
    error = {ErrorKind::kInvalid, fmt::format("cannot {}: etcd has no empty key", what)};
  } else if (value.size() > kMaxValue) {
    error = {ErrorKind::kFull, fmt::format("cannot {}: the value has {} bytes, and {} are the most", what,
                                           value.size(), kMaxValue)};
  } else {
    return true;
  }
  scope_->post([done, error] { done(std::unexpected(error)); });
  return false;
}

void EtcdClient::list(const std::string& prefix, Done<EtcdListing> done) {
  const std::string what = fmt::format("list {}", printable(prefix));
  list_page(std::make_shared<Listing>(
      Listing{.prefix = prefix, .what = what, .done = std::move(done), .result = {}}));
}

void EtcdClient::list_page(const std::shared_ptr<Listing>& listing) {
  const std::vector<EtcdEntry>& entries = listing->result.entries;
  pb::RangeRequest request;
  // The key behind another is the same with a zero byte.
  request.set_key(entries.empty() ? start_of_prefix(listing->prefix) : entries.back().key + '\0');
  request.set_range_end(end_of_prefix(listing->prefix));
  request.set_limit(kPageSize);
  request.set_revision(entries.empty() ? 0 : listing->result.revision);
  cluster_->call(scope_, listing->what, &EtcdCluster::Kv::Range, request,
                 [this, listing](Result<pb::RangeResponse> page, const Trace& trace) {
                   const bool is_compacted = trace.code == grpc::StatusCode::OUT_OF_RANGE;
                   if (!page && is_compacted && listing->begun < kMaxListings) {
                     ++listing->begun;
                     listing->bytes = 0;
                     listing->result.entries.clear();
                     return list_page(listing);
                   }
                   if (!page) return listing->done(std::unexpected(std::move(page).error()));
                   take_listed(listing, *page);
                 });
}

void EtcdClient::take_listed(const std::shared_ptr<Listing>& listing, pb::RangeResponse& page) {
  EtcdListing& result = listing->result;
  if (result.entries.empty()) result.revision = page.header().revision();
  const auto bytes = take_page(page, listing->prefix, result.entries);
  if (!bytes) {
    return listing->done(
        fail(bytes.error().kind, fmt::format("cannot {}: {}", listing->what, bytes.error().message)));
  }
  listing->bytes += *bytes;
  if (listing->bytes > kMaxListing) {
    return listing->done(fail(ErrorKind::kFull, fmt::format("cannot {}: there are more than {} bytes",
                                                            listing->what, kMaxListing)));
  }
  if (page.more()) return list_page(listing);
  listing->done(std::move(result));
}

void EtcdClient::get(const std::string& key, Done<EtcdListing> done) {
  const std::string what = fmt::format("get {}", printable(key));
  if (!accept(what, key, "", done)) return;
  pb::RangeRequest request;
  request.set_key(key);
  cluster_->call(
      scope_, what, &EtcdCluster::Kv::Range, request,
      [key, what, done = std::move(done)](Result<pb::RangeResponse> page, const Trace&) {
        if (!page) return done(std::unexpected(std::move(page).error()));
        EtcdListing result{.revision = page->header().revision(), .entries = {}};
        const auto bytes = take_page(*page, key, result.entries);
        if (!bytes || result.entries.size() > 1) {
          return done(fail(ErrorKind::kSystem, fmt::format("cannot {}: the answer is about others", what)));
        }
        done(std::move(result));
      });
}

void EtcdClient::put(const std::string& key, const std::string& value, std::int64_t lease,
                     Done<std::int64_t> done) {
  const std::string what = fmt::format("put {}", printable(key));
  if (!accept(what, key, value, done)) return;
  pb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  request.set_lease(lease);
  cluster_->call(scope_, what, &EtcdCluster::Kv::Put, request,
                 [done = std::move(done)](const Result<pb::PutResponse>& response, const Trace&) {
                   if (!response) return done(std::unexpected(response.error()));
                   done(response->header().revision());
                 });
}

void EtcdClient::write(const std::vector<EtcdChange>& changes, std::int64_t lease, Done<std::int64_t> done) {
  const std::string what =
      fmt::format("write {} and {} more", changes.empty() ? "nothing" : printable(changes.front().key),
                  changes.size() - 1);
  pb::TxnRequest request;
  for (const EtcdChange& change : changes) {
    if (!accept(what, change.key, change.value.value_or(""), done)) return;
    if (change.value) {
      add_put(request, change.key, *change.value, lease);
    } else {
      request.add_success()->mutable_request_delete_range()->set_key(change.key);
    }
  }
  cluster_->call(scope_, what, &EtcdCluster::Kv::Txn, request,
                 [done = std::move(done)](const Result<pb::TxnResponse>& response, const Trace&) {
                   if (!response) return done(std::unexpected(response.error()));
                   done(response->header().revision());
                 });
}

void EtcdClient::insert(const std::string& key, const std::string& value, std::int64_t lease,
                        Done<EtcdWrite> done) {
  pb::Compare is_absent;
  is_absent.set_key(key);
  is_absent.set_target(pb::Compare::VERSION);
  is_absent.set_version(0);
  write_if(is_absent, fmt::format("insert {}", printable(key)), value, lease, std::move(done));
}

void EtcdClient::replace(const std::string& key, const std::string& value, std::int64_t lease,
                         std::int64_t mod_revision, Done<EtcdWrite> done) {
  pb::Compare is_unchanged;
  is_unchanged.set_key(key);
  is_unchanged.set_target(pb::Compare::MOD);
  is_unchanged.set_mod_revision(mod_revision);
  write_if(is_unchanged, fmt::format("replace {}", printable(key)), value, lease, std::move(done));
}

void EtcdClient::write_if(const pb::Compare& condition, std::string what, const std::string& value,
                          std::int64_t lease, Done<EtcdWrite> done) {
  if (!accept(what, condition.key(), value, done)) return;
  pb::TxnRequest request;
  *request.add_compare() = condition;
  add_put(request, condition.key(), value, lease);
  // Either way the last answer is what is there then.
  request.add_success()->mutable_request_range()->set_key(condition.key());
  request.add_failure()->mutable_request_range()->set_key(condition.key());
  cluster_->call(
      scope_, what, &EtcdCluster::Kv::Txn, request,
      [condition, what, value, lease, done = std::move(done)](Result<pb::TxnResponse> response,
                                                              const Trace& trace) {
        if (!response) return done(std::unexpected(std::move(response).error()));
        EtcdWrite write{.is_written = response->succeeded(), .entry = {}};
        if (const int last = response->responses_size() - 1; last >= 0) {
          auto& kvs = *response->mutable_responses(last)->mutable_response_range()->mutable_kvs();
          if (!kvs.empty()) write.entry = take_entry(kvs[0]);
        }
        const bool is_other = !write.entry.key.empty() && write.entry.key != condition.key();
        if (is_other || (write.is_written && write.entry.key.empty())) {
          return done(fail(ErrorKind::kSystem, fmt::format("cannot {}: the answer is not about it", what)));
        }
        // An earlier try was carried out, and only its answer was lost: what is in the way is ours.
        if (trace.is_repeated && !write.is_written && write.entry.key == condition.key() &&
            write.entry.value == value && write.entry.lease == lease) {
          write.is_written = true;
        }
        done(std::move(write));
      });
}

void EtcdClient::remove(const std::string& key, Done<std::int64_t> done) {
  remove_range(key, "", std::move(done));
}

void EtcdClient::remove_prefix(const std::string& prefix, Done<std::int64_t> done) {
  remove_range(prefix, end_of_prefix(prefix), std::move(done));
}

void EtcdClient::remove_range(const std::string& key, const std::string& end, Done<std::int64_t> done) {
  const std::string what = fmt::format("remove {}", printable(key));
  if (!accept(what, key, "", done)) return;
  pb::DeleteRangeRequest request;
  request.set_key(key);
  request.set_range_end(end);
  cluster_->call(scope_, what, &EtcdCluster::Kv::DeleteRange, request,
                 [done = std::move(done)](const Result<pb::DeleteRangeResponse>& response, const Trace&) {
                   if (!response) return done(std::unexpected(response.error()));
                   done(response->header().revision());
                 });
}

void EtcdClient::grant(std::int64_t ttl, Done<std::int64_t> done) {
  const std::string what = fmt::format("get a lease for {} seconds", ttl);
  if (ttl < 1) {
    const Error error = {ErrorKind::kInvalid, fmt::format("cannot {}: one second is the least", what)};
    return scope_->post([done = std::move(done), error] { done(std::unexpected(error)); });
  }
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl);
  // If an answer was lost, the lease that nobody knows of ends by itself.
  cluster_->call(
      scope_, what, &EtcdCluster::Lease::LeaseGrant, request,
      [what, done = std::move(done)](const Result<pb::LeaseGrantResponse>& response, const Trace&) {
        if (!response) return done(std::unexpected(response.error()));
        if (response->id() == 0) {
          return done(
              fail(ErrorKind::kSystem, fmt::format("cannot {}: {}", what, printable(response->error()))));
        }
        done(response->id());
      });
}

void EtcdClient::revoke(std::int64_t lease, Done<void> done) {
  pb::LeaseRevokeRequest request;
  request.set_id(lease);
  cluster_->call(
      scope_, fmt::format("revoke lease {:x}", lease), &EtcdCluster::Lease::LeaseRevoke, request,
      [done = std::move(done)](const Result<pb::LeaseRevokeResponse>& response, const Trace& trace) {
        // The earlier try has done it.
        const bool is_gone = trace.is_repeated && trace.code == grpc::StatusCode::NOT_FOUND;
        if (!response && !is_gone) return done(std::unexpected(response.error()));
        done({});
      });
}

void EtcdClient::refresh(std::int64_t lease, Done<std::int64_t> done) {
  const auto messages = std::make_shared<KeepAlive>();
  messages->request.set_id(lease);
  cluster_->call(
      scope_, fmt::format("refresh lease {:x}", lease),
      [messages](EtcdCluster::Member& member, grpc::ClientContext& context,
                 std::function<void(grpc::Status)> completion) {
        start_keep_alive(*member.lease, context, messages, std::move(completion));
      },
      [messages, lease, done = std::move(done)](const Result<void>& outcome, const Trace&) {
        if (!outcome) return done(std::unexpected(outcome.error()));
        // etcd's way to say so.
        if (messages->response.ttl() <= 0) {
          return done(
              fail(ErrorKind::kNotFound, fmt::format("cannot refresh lease {:x}: it is gone", lease)));
        }
        done(messages->response.ttl());
      });
}

std::unique_ptr<EtcdWatch> EtcdClient::watch(const std::string& prefix, std::int64_t from_revision,
                                             EtcdWatchHandlers handlers) {
  return std::make_unique<EtcdWatch>(cluster_, prefix, from_revision, std::move(handlers));
}

}  // namespace vtep
