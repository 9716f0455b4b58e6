// A stream of changes to the forwarding table: one call, however many changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "cli/call_queue.h"
#include "cli/client.h"

namespace vtep {

class FdbWriter {
 public:
  /// `client` outlives the writer; its connect() succeeded.
  explicit FdbWriter(Client& client);

  /// Sends one change; with `more` it may wait for those that follow. False: the daemon takes no more,
  /// finish() says why.
  bool write(const v1::FdbChange& change, bool more);
  /// Ends the stream and waits for the daemon's answer. Call once.
  Result<v1::ChangeFdbResponse> finish();
  /// After finish() failed: the number of the change that was refused, from 1, if the daemon said it.
  std::optional<std::uint64_t> refused() const;

 private:
  Client& client_;
  v1::ChangeFdbResponse response_;
  grpc::ClientContext context_;
  CallQueue queue_;
  std::unique_ptr<grpc::ClientAsyncWriter<v1::FdbChange>> writer_;
};

}  // namespace vtep
