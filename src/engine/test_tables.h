// An FDB with the tables it refers to, for tests and benchmarks. Test-only.
#pragma once

#include "engine/fdb.h"

namespace vtep::test {

struct FdbTables {
  explicit FdbTables(const Fdb::Options& options) : fdb(options, remotes, nexthops) {}

  RemoteTable remotes;
  Nexthops nexthops{remotes};
  Fdb fdb;
};

}  // namespace vtep::test
