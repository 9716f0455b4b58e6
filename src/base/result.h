// How a failure crosses a folder's boundary: no exceptions, one small error with a kind and a sentence.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vtep {

/// What sort of failure it was; the API maps it to a gRPC status and the command to an exit code.
enum class ErrorKind {
  kInvalid,      ///< the words make no sense, whatever the system's state: `vtep` exits with 1
  kExists,       ///< name, VNI or entry is taken
  kNotFound,     ///< no such link, device or entry
  kFull,         ///< a limit that somebody set is reached
  kInUse,        ///< a resource outside vtep is held by somebody else (a UDP port)
  kPermission,   ///< the kernel said EPERM or EACCES
  kUnavailable,  ///< cannot be served now, but may be later (device missing, daemon restarting)
  kSystem,       ///< any other refusal of the kernel; `message` carries its words
};

struct Error {
  ErrorKind kind = ErrorKind::kSystem;
  std::string message;  ///< one sentence: what failed and, where it helps, what to do

  friend bool operator==(const Error&, const Error&) = default;
};

template <typename T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorKind::kExists, "…")` from any function that returns a Result.
inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message)});
}

}  // namespace vtep
