#include "control/etcd_status.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

using grpc::StatusCode;

struct Case {
  grpc::Status status;
  ErrorKind kind;
  const char* message;
};

TEST(EtcdStatusTest, SaysWhatFailedWhereAndWhy) {
  const Case cases[] = {
      {{StatusCode::UNAVAILABLE, "Connection refused"},
       ErrorKind::kUnavailable,
       "cannot get /a: etcd at http://x:1 does not answer: Connection refused"},
      {{StatusCode::UNAVAILABLE, "etcdserver: no leader"},
       ErrorKind::kUnavailable,
       "cannot get /a: etcd at http://x:1 cannot serve now: etcdserver: no leader"},
      {{StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"},
       ErrorKind::kUnavailable,
       "cannot get /a: etcd at http://x:1 does not answer in time"},
      {{StatusCode::UNIMPLEMENTED, "unknown service"},
       ErrorKind::kSystem,
       "cannot get /a: etcd at http://x:1 does not know the call: is it etcd, version 3?: unknown service"},
      {{StatusCode::INVALID_ARGUMENT, "etcdserver: authentication failed, invalid user ID or password"},
       ErrorKind::kPermission,
       "cannot get /a: etcd at http://x:1 refuses: etcdserver: authentication failed, invalid user ID or "
       "password"},
      {{StatusCode::NOT_FOUND, "etcdserver: requested lease not found"},
       ErrorKind::kNotFound,
       "cannot get /a: etcd at http://x:1 refuses: etcdserver: requested lease not found"},
  };
  for (const Case& c : cases) {
    const Error error = make_etcd_error("get /a", "http://x:1", c.status);
    EXPECT_EQ(error.kind, c.kind) << c.message;
    EXPECT_EQ(error.message, c.message);
  }
}

TEST(EtcdStatusTest, ReadsWhyAWatchWasCancelled) {
  const auto expired =
      parse_cancel_reason("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token");
  EXPECT_TRUE(is_token_refused(expired));
  EXPECT_TRUE(is_refusal(expired));
  const auto missing =
      parse_cancel_reason("rpc error: code = InvalidArgument desc = etcdserver: user name is empty");
  EXPECT_TRUE(is_token_refused(missing));
  const auto denied =
      parse_cancel_reason("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
  EXPECT_FALSE(is_token_refused(denied));
  EXPECT_TRUE(is_refusal(denied));
  for (const char* text : {"", "rpc error: code = InvalidArgument desc = etcdserver: key is not provided",
                           "etcdserver: permission denied", "rpc error: code = "}) {
    EXPECT_FALSE(is_refusal(parse_cancel_reason(text))) << text;
    EXPECT_FALSE(parse_cancel_reason(text).ok());
  }
}

}  // namespace
}  // namespace vtep
