// Which process has a file open? Walks /proc; slow, for error messages.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace vtep {

/// One open file, as /proc/PID/fd/N shows it.
struct OpenFile {
  std::string target;        ///< "/dev/net/tun", "socket:[4711]"
  std::string number;        ///< N
  std::string process_path;  ///< "/proc/PID"
};

/// `process ovs-vswitchd (pid 812)`: the first one with a file for which `matches` says yes. Empty if there
/// is none that we may look into.
std::optional<std::string> find_process(const std::function<bool(const OpenFile&)>& matches);

}  // namespace vtep
