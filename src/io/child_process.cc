#include "io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <utility>

#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kGraceMs = 1000;
constexpr std::size_t kLongestLine = 4096;
constexpr int kPipeBuffers = 16;  // of 4096 bytes each

/// glibc has no name for it yet.
int open_pid(int pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// In the child: becomes the program, or says why not.
[[noreturn]] void become(char* const* argv, int parent, int output, int failure) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(argv[0], argv);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(failure, &error, sizeof error);
  ::_exit(1);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Loop& loop, const std::vector<std::string>& words,
                                                          Handlers handlers) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string what = "cannot start " + words.front();

  std::array<int, 2> output{}, failure{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return std::unexpected(system_error(what, errno));
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    const int error = errno;
    for (const int fd : output) ::close(fd);
    return std::unexpected(system_error(what, error));
  }
  const int parent = ::getpid();
  const int pid = ::fork();
  const int fork_error = errno;
  if (pid == 0) become(argv.data(), parent, output[1], failure[1]);
  ::close(output[1]);
  ::close(failure[1]);
  int error = pid < 0 ? fork_error : 0;
  // It is closed when the program has begun.
  if (pid > 0 && ::read(failure[0], &error, sizeof error) != sizeof error) error = 0;
  ::close(failure[0]);
  const int pid_fd = error == 0 ? open_pid(pid) : -1;
  if (error == 0 && pid_fd < 0) {
    error = errno;
    ::kill(pid, SIGKILL);
  }
  if (error != 0) {
    ::close(output[0]);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    if (error == ENOENT) return fail(ErrorKind::kNotFound, what + ": there is no such program");
    return std::unexpected(system_error(what, error));
  }
  ::fcntl(pid_fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(output[0], F_SETFL, O_NONBLOCK);
  std::unique_ptr<ChildProcess> child(new ChildProcess(loop, pid, pid_fd, output[0], std::move(handlers)));
  auto watched = loop.watch(child->output_fd_, [raw = child.get()] { raw->read_output(); });
  if (watched) watched = loop.watch(child->pid_fd_, [raw = child.get()] { raw->end_seen(); });
  if (!watched) return std::unexpected(watched.error());
  return child;
}

ChildProcess::ChildProcess(Loop& loop, int pid, int pid_fd, int output_fd, Handlers handlers)
    : loop_(loop), pid_(pid), pid_fd_(pid_fd), output_fd_(output_fd), handlers_(std::move(handlers)) {}

ChildProcess::~ChildProcess() {
  loop_.unwatch(output_fd_);
  loop_.unwatch(pid_fd_);
  if (pid_ != 0) {
    ::kill(pid_, SIGTERM);
    pollfd end{.fd = pid_fd_, .events = POLLIN, .revents = 0};
    if (::poll(&end, 1, kGraceMs) == 0) ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(output_fd_);
  ::close(pid_fd_);
}

bool ChildProcess::read_output() {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::read(output_fd_, buffer.data(), buffer.size());
  if (size < 0 && errno == EAGAIN) return false;
  if (size <= 0) {
    loop_.unwatch(output_fd_);
    return false;
  }
  for (ssize_t i = 0; i < size; ++i) {
    const char c = buffer[static_cast<std::size_t>(i)];
    if (c == '\n') {
      handlers_.on_line(std::exchange(line_, {}));
    } else if (line_.size() < kLongestLine) {
      line_ += c;
    }
  }
  return true;
}

void ChildProcess::end_seen() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  pid_ = 0;
  loop_.unwatch(pid_fd_);
  // Its last words. No more than a pipe holds: a child of its own may write on.
  for (int i = 0; i < kPipeBuffers && read_output(); ++i) {
  }
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "exit status " + std::to_string(WEXITSTATUS(status));
  const auto on_end = handlers_.on_end;
  on_end(how);
}

}  // namespace vtep
