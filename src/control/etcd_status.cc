#include "control/etcd_status.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "control/printable.h"

namespace vtep {
namespace {

constexpr std::string_view kFromEtcd = "etcdserver: ";

/// A wrong password is an "invalid argument" to etcd.
bool is_login_refused(const grpc::Status& status) {
  return status.error_message().starts_with("etcdserver: authentication failed");
}

ErrorKind kind_of(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return ErrorKind::kUnavailable;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return is_login_refused(status) || is_token_refused(status) ? ErrorKind::kPermission
                                                                  : ErrorKind::kInvalid;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return ErrorKind::kPermission;
    case grpc::StatusCode::NOT_FOUND:
      return ErrorKind::kNotFound;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorKind::kFull;
    default:
      return ErrorKind::kSystem;
  }
}

}  // namespace

bool is_worth_another_member(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
}

bool is_token_refused(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) return true;
  // Authentication was turned on, or users were changed, since we asked for a token. etcd has one code for
  // all that.
  return status.error_code() == grpc::StatusCode::INVALID_ARGUMENT &&
         (status.error_message() == "etcdserver: user name is empty" ||
          status.error_message() == "etcdserver: revision of auth store is old");
}

bool is_refusal(const grpc::Status& status) {
  return is_token_refused(status) || status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
}

grpc::Status parse_cancel_reason(std::string_view text) {
  constexpr std::pair<std::string_view, grpc::StatusCode> kStarts[] = {
      {"rpc error: code = PermissionDenied desc = ", grpc::StatusCode::PERMISSION_DENIED},
      {"rpc error: code = Unauthenticated desc = ", grpc::StatusCode::UNAUTHENTICATED},
      {"rpc error: code = InvalidArgument desc = ", grpc::StatusCode::INVALID_ARGUMENT}};
  for (const auto& [start, code] : kStarts) {
    if (text.starts_with(start)) return {code, std::string(text.substr(start.size()))};
  }
  return {grpc::StatusCode::UNAVAILABLE, "the watch is cancelled: " + std::string(text)};
}

Error make_etcd_error(std::string_view what, std::string_view endpoint, const grpc::Status& status) {
  const std::string& said = status.error_message();
  std::string_view reason = "refuses";
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return {ErrorKind::kUnavailable,
            fmt::format("cannot {}: etcd at {} does not answer in time", what, endpoint)};
  }
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    reason = "does not know the call: is it etcd, version 3?";
  } else if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    reason = said.starts_with(kFromEtcd) ? "cannot serve now" : "does not answer";
  }
  return {kind_of(status),
          fmt::format("cannot {}: etcd at {} {}: {}", what, endpoint, reason, printable(said))};
}

}  // namespace vtep
