// What gRPC and etcd say when a call fails, in our words.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string_view>

#include "base/result.h"

namespace vtep {

/// Another member may do better: this one is not there, or has no leader.
bool is_worth_another_member(const grpc::Status& status);

/// The token has expired, or etcd wants one by now.
bool is_token_refused(const grpc::Status& status);

/// The user may not do that; but etcd says so too of a token that has expired.
bool is_refusal(const grpc::Status& status);

/// A watch that etcd cancels has its status as a text: `rpc error: code = PermissionDenied desc = …`.
grpc::Status parse_cancel_reason(std::string_view text);

/// `cannot WHAT: etcd at ENDPOINT does not answer: …`. Precondition: `status` is not ok.
Error make_etcd_error(std::string_view what, std::string_view endpoint, const grpc::Status& status);

}  // namespace vtep
