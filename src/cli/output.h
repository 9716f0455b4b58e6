// Buffered writing to a file descriptor that may go away: a pager that quits, a full disk.
//
// After the first failure everything else is dropped; whoever prints much asks ok() now and then, to stop
// early. Does not own the descriptor. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace vtep {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { flush(); }

  void write(std::string_view text);
  /// Hands everything to the kernel. Returns ok().
  bool flush();
  bool ok() const { return error_ == 0; }
  /// The errno of the first failure, or 0. EPIPE: the reader has enough.
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;
  std::string buffer_;
};

}  // namespace vtep
