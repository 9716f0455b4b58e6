// What `help` prints. The manual page vtep(8) says it at length.
#pragma once

#include <string_view>

namespace vtep {

extern const std::string_view kUsage;
extern const std::string_view kLinkUsage;
extern const std::string_view kVxlanUsage;
extern const std::string_view kFdbUsage;
extern const std::string_view kVniUsage;
extern const std::string_view kNexthopUsage;
extern const std::string_view kMdbUsage;
extern const std::string_view kNeighbourUsage;
extern const std::string_view kRemoteUsage;
extern const std::string_view kSourceUsage;
extern const std::string_view kDropUsage;
extern const std::string_view kMonitorUsage;
extern const std::string_view kDaemonUsage;

}  // namespace vtep
