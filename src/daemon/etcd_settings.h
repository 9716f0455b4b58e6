// From what the configuration says of an etcd cluster to what its client wants.
#pragma once

#include <string>

#include "base/result.h"
#include "control/etcd_options.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

/// Reads the password's file (kSystem).
Result<EtcdOptions> etcd_options(const v1::EtcdConfig& config);

/// A whole file. kSystem if it cannot be read.
Result<std::string> read_file(const std::string& path);
/// The same, without the line's end that editors leave.
Result<std::string> read_secret(const std::string& path);

}  // namespace vtep
