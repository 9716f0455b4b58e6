// The state that outlives a crash: one JSON line per change, appended before the change is answered for,
// replayed by the next daemon. In /run, so it ends with the machine. A line that a crash cut off is dropped,
// with a warning.
//
// Not thread-safe: belongs to the loop's thread. The file is locked, so a second daemon on the same state is
// noticed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

class Journal {
 public:
  /// Opens or creates. kInUse: another daemon holds it (the message names its pid). kSystem: cannot be
  /// written; the message names the path and the reason.
  static Result<std::unique_ptr<Journal>> open(const std::string& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// What was in the file when it was opened, in order; a second call returns nothing.
  std::vector<v1::StateRecord> take_replay();

  /// Writes the records with one system call. After it returns they survive the death of the process.
  Result<void> append(std::span<const v1::StateRecord> records);
  Result<void> append(const v1::StateRecord& record) { return append({&record, 1}); }

  /// Replaces everything by `records`, atomically.
  Result<void> rewrite(std::span<const v1::StateRecord> records);
  /// Lines in the file; when it is far more than what there is to say, rewrite() is due.
  std::size_t size() const { return lines_; }

  /// Nothing is left for a next daemon.
  void remove();

  const std::string& path() const { return path_; }

 private:
  Journal(std::string path, int fd);
  Result<void> load();

  const std::string path_;
  int fd_;
  std::size_t lines_ = 0;
  std::vector<v1::StateRecord> replay_;
};

}  // namespace vtep
