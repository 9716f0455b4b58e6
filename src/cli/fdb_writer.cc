#include "cli/fdb_writer.h"

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
  if (!queue_.wait()) return false;
  ++written_;
  return true;
}

Result<v1::ChangeFdbResponse> FdbWriter::finish() {
  writer_->WritesDone(CallQueue::kTag);
  queue_.wait();
  writer_->Finish(&queue_.status(), CallQueue::kTag);
  queue_.wait();
  if (!queue_.status().ok()) return std::unexpected(client_.error_of(queue_.status()));
  return response_;
}

}  // namespace vtep
