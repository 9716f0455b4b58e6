// A client of etcd, version 3: entries, conditional writes, leases, watches. It never blocks: each call has a
// callback, which comes later from the loop, once, unless the client is destroyed before; then no callback
// runs any more.
//
// Members of the cluster are asked in turn: a call whose member is not there is tried once with each of the
// others (see etcd_cluster.h), each for at most EtcdOptions::timeout. Calls that are under way at the same
// time may overtake each other: who cares waits for the callback.
//
// Errors: kUnavailable if no member answers in time or can serve; kPermission if the user, the password or a
// certificate is refused; kFull for what is too large or beyond etcd's quota; kInvalid for what makes no
// sense; kSystem if what answers is not etcd. The sentence names the last endpoint and what was tried.
//
// Thread safety: belongs to the loop's thread, and so do its watches. A callback may destroy the client. The
// loop outlives it. Its watches need not: they go on without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/etcd_entry.h"
#include "control/etcd_options.h"
#include "control/etcd_watch.h"
#include "io/loop.h"

namespace etcdserverpb {
class Compare;
class RangeResponse;
}  // namespace etcdserverpb

namespace vtep {

class CallScope;
class EtcdCluster;

class EtcdClient {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  /// Our own limit; etcd's is 1.5 MB for a whole request, unless it was told otherwise.
  static constexpr std::size_t kMaxValue = 1 << 20;
  /// Entries in a page of a listing. A page has at most kMaxEtcdMessage bytes.
  static constexpr int kPageSize = 1000;
  /// Changes at once: what etcd allows unless it was told otherwise (--max-txn-ops).
  static constexpr std::size_t kMostChanges = 128;
  /// Bytes of a whole listing, keys and values.
  static constexpr std::size_t kMaxListing = 200'000'000;

  /// kInvalid, kPermission: endpoints that make no sense, certificate files that cannot be read. Connects
  /// later.
  static Result<std::unique_ptr<EtcdClient>> create(Loop& loop, const EtcdOptions& options);
  ~EtcdClient();
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  /// The entries whose keys begin with `prefix`, page by page, all at one revision.
  void list(const std::string& prefix, Done<EtcdListing> done);
  /// With one entry, or none.
  void get(const std::string& key, Done<EtcdListing> done);

  /// Whatever is there. The result is the new revision. kNotFound: there is no such lease.
  void put(const std::string& key, const std::string& value, std::int64_t lease, Done<std::int64_t> done);
  /// Only if nothing is there. If an answer was lost, and the same value with the same lease is there at the
  /// next try, it is taken for ours: the value or the lease of a claim is its owner's alone.
  void insert(const std::string& key, const std::string& value, std::int64_t lease, Done<EtcdWrite> done);
  /// Only if it is still what it was at `mod_revision`; the same is true of a lost answer.
  void replace(const std::string& key, const std::string& value, std::int64_t lease,
               std::int64_t mod_revision, Done<EtcdWrite> done);

  /// All of them at once, or none; values are put under `lease`. At most kMostChanges, each of another key.
  /// The result is the new revision. kNotFound: there is no such lease.
  void write(const std::vector<EtcdChange>& changes, std::int64_t lease, Done<std::int64_t> done);

  /// Harmless if nothing is there. The result is the revision at which nothing was.
  void remove(const std::string& key, Done<std::int64_t> done);
  /// kInvalid: `prefix` is empty.
  void remove_prefix(const std::string& prefix, Done<std::int64_t> done);

  /// A lease that lasts for `ttl` seconds, at least one, unless it is refreshed. etcd may make it longer.
  void grant(std::int64_t ttl, Done<std::int64_t> done);
  /// Its entries go with it. kNotFound: there is no such lease.
  void revoke(std::int64_t lease, Done<void> done);
  /// It lasts for another `ttl` seconds, which are the result. kNotFound: there is no such lease any more.
  void refresh(std::int64_t lease, Done<std::int64_t> done);

  /// Changes of entries whose keys begin with `prefix`, from `from_revision` on (0: from now on); see
  /// etcd_watch.h.
  std::unique_ptr<EtcdWatch> watch(const std::string& prefix, std::int64_t from_revision,
                                   EtcdWatchHandlers handlers);

 private:
  struct Listing;
  explicit EtcdClient(std::shared_ptr<EtcdCluster> cluster);
  void list_page(const std::shared_ptr<Listing>& listing);
  void take_listed(const std::shared_ptr<Listing>& listing, etcdserverpb::RangeResponse& page);
  void write_if(const etcdserverpb::Compare& condition, std::string what, const std::string& value,
                std::int64_t lease, Done<EtcdWrite> done);
  void remove_range(const std::string& key, const std::string& end, Done<std::int64_t> done);
  /// False, and `done` will be told, if etcd need not be asked.
  template <typename T>
  bool accept(std::string_view what, const std::string& key, const std::string& value, const Done<T>& done);

  const std::shared_ptr<EtcdCluster> cluster_;
  const std::shared_ptr<CallScope> scope_;
};

}  // namespace vtep
