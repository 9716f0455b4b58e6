#include "io/process_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vtep {
namespace {

namespace fs = std::filesystem;

bool is_pid(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// Processes come and go while we look, and some we may not look into: every error means "not this one".
bool has_file(const fs::path& process, const std::function<bool(const OpenFile&)>& matches) {
  std::error_code error;
  fs::directory_iterator files(process / "fd", error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    std::error_code link_error;
    const fs::path target = fs::read_symlink(files->path(), link_error);
    if (link_error) continue;
    if (matches({target.string(), files->path().filename().string(), process.string()})) return true;
  }
  return false;
}

std::string describe(const fs::path& process) {
  std::string command;
  std::ifstream comm(process / "comm");
  std::getline(comm, command);
  return "process " + (command.empty() ? "" : command + " ") + "(pid " + process.filename().string() + ")";
}

}  // namespace

std::optional<std::string> find_process(const std::function<bool(const OpenFile&)>& matches) {
  std::error_code error;
  fs::directory_iterator processes("/proc", error);
  for (; !error && processes != fs::directory_iterator(); processes.increment(error)) {
    const fs::path& process = processes->path();
    if (is_pid(process.filename().string()) && has_file(process, matches)) return describe(process);
  }
  return std::nullopt;
}

}  // namespace vtep
