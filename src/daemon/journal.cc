#include "daemon/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/journal_line.h"

namespace vtep {
namespace {

constexpr std::uint32_t kVersion = 1;

v1::StateRecord version_record() {
  v1::StateRecord record;
  record.set_version(kVersion);
  return record;
}

Error system_error(const std::string& what, const std::string& path) {
  const ErrorKind kind = errno == EACCES || errno == EPERM ? ErrorKind::kPermission : ErrorKind::kSystem;
  return {kind, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(system_error("read", path));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

/// O_RDWR, locked; the lock is on the open file and dies with the process.
Result<int> open_locked(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0600);
  if (fd < 0) return std::unexpected(system_error("open", path));
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return fail(
      ErrorKind::kInUse,
      fmt::format("another vtepd is running with the state file {}: stop it, or give this one a --socket of "
                  "its own",
                  path));
}

}  // namespace

Journal::Journal(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

Journal::~Journal() {
  ::close(fd_);
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path) {
  const auto fd = open_locked(path, 0);
  if (!fd) return std::unexpected(fd.error());
  std::unique_ptr<Journal> journal(new Journal(path, *fd));
  if (auto loaded = journal->load(); !loaded) return std::unexpected(loaded.error());
  return journal;
}

Result<void> Journal::load() {
  const auto text = read_all(fd_, path_);
  if (!text) return std::unexpected(text.error());
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    v1::StateRecord record;
    const std::string_view line = rest.substr(0, end);
    const bool whole = end != std::string_view::npos;
    if (!whole || !parse_line(line, record)) {
      spdlog::warn("{}: line {} is damaged and was left out: {}", path_, lines_ + 1, line.substr(0, 120));
      if (!whole) break;
    } else if (lines_ == 0 && record.version() != kVersion) {
      return fail(ErrorKind::kSystem,
                  fmt::format("{} was not written by this version of vtepd: remove it, and the "
                              "interfaces it names, to start anew",
                              path_));
    } else if (lines_ > 0) {
      replay_.push_back(std::move(record));
    }
    ++lines_;
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty()) {  // the cut-off tail must not run into the next line
    if (::ftruncate(fd_, static_cast<off_t>(text->size() - rest.size())) != 0) {
      return std::unexpected(system_error("truncate", path_));
    }
  }
  if (lines_ == 0) return append(version_record());
  return {};
}

std::vector<v1::StateRecord> Journal::take_replay() {
  return std::exchange(replay_, {});
}

Result<void> Journal::append(std::span<const v1::StateRecord> records) {
  std::string text;
  for (const v1::StateRecord& record : records) append_line(record, text);
  if (!write_all(fd_, text)) return std::unexpected(system_error("write", path_));
  lines_ += records.size();
  return {};
}

Result<void> Journal::rewrite(std::span<const v1::StateRecord> records) {
  const std::string fresh = path_ + ".new";
  const auto fd = open_locked(fresh, O_TRUNC);
  if (!fd) return std::unexpected(fd.error());
  std::string text;
  append_line(version_record(), text);
  for (const v1::StateRecord& record : records) append_line(record, text);
  if (!write_all(*fd, text) || ::rename(fresh.c_str(), path_.c_str()) != 0) {
    const Error error = system_error("write", fresh);
    ::close(*fd);
    ::unlink(fresh.c_str());
    return std::unexpected(error);
  }
  ::close(fd_);
  fd_ = *fd;
  lines_ = records.size() + 1;
  return {};
}

void Journal::remove() {
  ::unlink(path_.c_str());
}

}  // namespace vtep
