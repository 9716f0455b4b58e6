#include "daemon/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vtep {
namespace {

constexpr std::uint32_t kVersion = 1;
/// What a crash can cut off at most, and what is parsed at once.
constexpr int kMaxRun = 1000;

v1::StateRecord version_record() {
  v1::StateRecord record;
  record.set_version(kVersion);
  return record;
}

void append_line(const v1::StateRecord& record, std::string& text) {
  std::string line;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  // Cannot fail: there is no Any in it.
  (void)google::protobuf::util::MessageToJsonString(record, &line, options);
  text += line;
  text += '\n';
}

void append_lines(std::span<const v1::StateRecord> records, std::string& text) {
  while (!records.empty()) {
    v1::FdbRun run;
    for (const v1::StateRecord& record : records) {
      if (!record.has_fdb() || run.changes_size() == kMaxRun) break;
      *run.add_changes() = record.fdb();
    }
    if (run.changes_size() < 2) {
      append_line(records.front(), text);
      records = records.subspan(1);
      continue;
    }
    v1::StateRecord record;
    record.set_fdb_run(run.SerializeAsString());
    append_line(record, text);
    records = records.subspan(static_cast<std::size_t>(run.changes_size()));
  }
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
  auto text = read_all(fd_, path_);
  if (!text) return std::unexpected(text.error());
  text_ = std::move(*text);
  // The cut-off tail must not run into the next line.
  const std::size_t whole = text_.rfind('\n') + 1;  // npos + 1 is 0
  if (whole < text_.size()) {
    spdlog::warn("{}: the last line is cut off and was left out: {}", path_, text_.substr(whole, 120));
    text_.resize(whole);
    if (::ftruncate(fd_, static_cast<off_t>(whole)) != 0)
      return std::unexpected(system_error("truncate", path_));
  }
  if (text_.empty()) return append(version_record());
  v1::StateRecord first;
  if (const auto end = text_.find('\n');
      !google::protobuf::util::JsonStringToMessage(text_.substr(0, end), &first).ok() ||
      first.version() != kVersion) {
    return fail(ErrorKind::kSystem,
                fmt::format("{} was not written by this version of vtepd: remove it, and the "
                            "interfaces it names, to start anew",
                            path_));
  }
  return {};
}

void Journal::replay(const std::function<void(const v1::StateRecord&)>& visit) {
  const std::string text = std::exchange(text_, {});
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    ++number;
    if (number > 1) replay_line(rest.substr(0, end), number, visit);  // the first is the version
    rest.remove_prefix(end + 1);
  }
  if (number > 0) ++size_;
}

void Journal::replay_line(std::string_view line, std::size_t number,
                          const std::function<void(const v1::StateRecord&)>& visit) {
  v1::StateRecord record;
  v1::FdbRun run;
  if (!google::protobuf::util::JsonStringToMessage(std::string(line), &record).ok() ||
      (record.has_fdb_run() && !run.ParseFromString(record.fdb_run()))) {
    spdlog::warn("{}: line {} is damaged and was left out: {}", path_, number, line.substr(0, 120));
    return;
  }
  if (!record.has_fdb_run()) {
    visit(record);
    ++size_;
    return;
  }
  size_ += static_cast<std::size_t>(run.changes_size());
  for (v1::FdbChange& change : *run.mutable_changes()) {
    *record.mutable_fdb() = std::move(change);
    visit(record);
  }
}

Result<void> Journal::append(std::span<const v1::StateRecord> records) {
  std::string text;
  append_lines(records, text);
  if (!write_all(fd_, text)) return std::unexpected(system_error("write", path_));
  size_ += records.size();
  return {};
}

Result<void> Journal::rewrite(std::span<const v1::StateRecord> records) {
  const std::string fresh = path_ + ".new";
  const auto fd = open_locked(fresh, O_TRUNC);
  if (!fd) return std::unexpected(fd.error());
  std::string text;
  append_line(version_record(), text);
  append_lines(records, text);
  if (!write_all(*fd, text) || ::rename(fresh.c_str(), path_.c_str()) != 0) {
    const Error error = system_error("write", fresh);
    ::close(*fd);
    ::unlink(fresh.c_str());
    return std::unexpected(error);
  }
  ::close(fd_);
  fd_ = *fd;
  size_ = records.size() + 1;
  return {};
}

void Journal::remove() {
  ::unlink(path_.c_str());
}

}  // namespace vtep
