#include "control/etcd_channel.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "io/system_error.h"

namespace vtep {
namespace {

/// How soon and how late gRPC tries again to connect: etcd is back within a second when it is restarted.
constexpr std::chrono::milliseconds kFirstReconnect{100};
constexpr std::chrono::milliseconds kLastReconnect{1000};

/// A bundle of all authorities that there are has a quarter of it.
constexpr std::size_t kMaxFile = 1 << 20;

Result<std::string> read_pem(const std::string& path) {
  if (path.empty()) return std::string();
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return std::unexpected(system_error(fmt::format("cannot read {}", path), errno));
  std::string text(kMaxFile, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const int error = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (error != 0) return std::unexpected(system_error(fmt::format("cannot read {}", path), error));
  // What else may be wrong in it, the handshake says.
  if (text.find("-----BEGIN ") == std::string::npos) {
    return fail(ErrorKind::kInvalid, fmt::format("{} holds no certificate or key in PEM", path));
  }
  return text;
}

int milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Result<std::shared_ptr<grpc::ChannelCredentials>> make_etcd_credentials(const EtcdOptions& options) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return fail(ErrorKind::kInvalid, "a certificate for etcd needs its key, and a key its certificate");
  }
  grpc::SslCredentialsOptions ssl;
  const auto read = [](const std::string& path, std::string& text) -> Result<void> {
    auto content = read_pem(path);
    if (!content) return std::unexpected(std::move(content).error());
    text = std::move(*content);
    return {};
  };
  if (auto done = read(options.ca_file, ssl.pem_root_certs); !done) return std::unexpected(done.error());
  if (auto done = read(options.cert_file, ssl.pem_cert_chain); !done) return std::unexpected(done.error());
  if (auto done = read(options.key_file, ssl.pem_private_key); !done) return std::unexpected(done.error());
  return grpc::SslCredentials(ssl);
}

std::shared_ptr<grpc::Channel> make_etcd_channel(const EtcdEndpoint& endpoint, const EtcdOptions& options,
                                                 const std::shared_ptr<grpc::ChannelCredentials>& secure) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxEtcdMessage);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, endpoint.authority);
  // A ping after six tenths of the silence that is allowed, four tenths to answer it. etcd counts the pings:
  // none beside these, such as those that measure the bandwidth.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, milliseconds(options.silence * 6 / 10));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, milliseconds(options.silence * 4 / 10));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // The name is gRPC's: it is also how long a connection may take to be made.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, milliseconds(options.timeout));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, milliseconds(kFirstReconnect));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, milliseconds(kLastReconnect));
  // What is repeated, and where, is decided by who knows what may be repeated.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // etcd is in the node's own network; a proxy in the environment is there for other things.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Otherwise two clients in one process share connections, and with them their failures.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(
      endpoint.target, endpoint.is_secure ? secure : grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace vtep
