#include "daemon/etcd_settings.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace vtep {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return fail(ErrorKind::kSystem, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  return text.str();
}

Result<std::string> read_secret(const std::string& path) {
  auto text = read_file(path);
  while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
  return text;
}

Result<EtcdOptions> etcd_options(const v1::EtcdConfig& config) {
  EtcdOptions options;
  options.endpoints.assign(config.endpoints().begin(), config.endpoints().end());
  options.user = config.user();
  options.ca_file = config.ca();
  options.cert_file = config.cert();
  options.key_file = config.key();
  if (config.password_file().empty()) return options;
  auto password = read_secret(config.password_file());
  if (!password) return std::unexpected(std::move(password).error());
  options.password = std::move(*password);
  return options;
}

}  // namespace vtep
