#include "cli/output.h"

#include <unistd.h>

#include <cerrno>

namespace vtep {

namespace {

constexpr std::size_t kBufferSize = 64 * 1024;

}  // namespace

void Output::write(std::string_view text) {
  if (!ok()) return;
  buffer_ += text;
  if (buffer_.size() >= kBufferSize) flush();
}

bool Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && error_ == 0) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  buffer_.clear();
  return ok();
}

}  // namespace vtep
