// The state that outlives a crash: one JSON line per change, appended before the change is answered for,
// replayed by the next daemon. In /run, so it ends with the machine. A line that a crash cut off is dropped,
// with a warning.
//
// Changes of forwarding tables come by the hundred thousand, in the loop's thread, while frames wait. Of
// those, a run is one line, and its members protobuf's bytes in base64: JSON takes 8 µs for each, this a
// tenth.
//
// Not thread-safe: belongs to the loop's thread. The file is locked, so a second daemon on the same state is
// noticed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

  /// Calls `visit` for every record that was in the file when it was opened, in order; a second call has
  /// none.
  void replay(const std::function<void(const v1::StateRecord&)>& visit);

  /// Writes the records with one system call. After it returns they survive the death of the process.
  Result<void> append(std::span<const v1::StateRecord> records);
  Result<void> append(const v1::StateRecord& record) { return append({&record, 1}); }

  /// Replaces everything by `records`, atomically.
  Result<void> rewrite(std::span<const v1::StateRecord> records);
  /// Records in the file, once it was replayed; when it is far more than what there is to say, rewrite() is
  /// due.
  std::size_t size() const { return size_; }

  /// Nothing is left for a next daemon.
  void remove();

  const std::string& path() const { return path_; }

 private:
  Journal(std::string path, int fd);
  Result<void> load();
  void replay_line(std::string_view line, std::size_t number,
                   const std::function<void(const v1::StateRecord&)>& visit);

  const std::string path_;
  int fd_;
  std::size_t size_ = 0;
  std::string text_;  // what was in the file, until replay()
};

}  // namespace vtep
