#include "cli/fdb_writer.h"

#include <limits>
#include <string_view>

#include "base/number.h"

namespace vtep {

FdbWriter::FdbWriter(Client& client)
    : client_(client),
      queue_(context_, Client::kPatience),
      writer_(client.stub().AsyncChangeFdb(&context_, &response_, queue_.get(), CallQueue::kTag)) {
  queue_.wait();
}

bool FdbWriter::write(const v1::FdbChange& change, bool more) {
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  writer_->Write(change, options, CallQueue::kTag);
  return queue_.wait();
}

Result<v1::ChangeFdbResponse> FdbWriter::finish() {
  writer_->WritesDone(CallQueue::kTag);
  queue_.wait();
  writer_->Finish(&queue_.status(), CallQueue::kTag);
  queue_.wait();
  if (!queue_.status().ok()) return std::unexpected(client_.error_of(queue_.status()));
  return response_;
}

std::optional<std::uint64_t> FdbWriter::refused() const {
  // An error carries no response, so the number travels beside it.
  const auto& trailers = context_.GetServerTrailingMetadata();
  const auto found = trailers.find("first-refused");
  if (found == trailers.end()) return std::nullopt;
  return parse_number({found->second.data(), found->second.size()},
                      std::numeric_limits<std::uint64_t>::max());
}

}  // namespace vtep
