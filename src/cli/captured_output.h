// What is written to an Output, as a string. For tests.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "cli/output.h"

namespace vtep {

class CapturedOutput {
 public:
  CapturedOutput() : fd_(::memfd_create("output", MFD_CLOEXEC)), output_(fd_) {}
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  ~CapturedOutput() { ::close(fd_); }

  Output& output() { return output_; }
  /// Everything so far.
  std::string text() {
    output_.flush();
    std::string text(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    const ssize_t size = ::pread(fd_, text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

 private:
  const int fd_;
  Output output_;
};

}  // namespace vtep
