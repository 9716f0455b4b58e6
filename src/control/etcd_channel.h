// How vtepd connects to etcd: certificates, and how patient gRPC is.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "control/etcd_endpoint.h"
#include "control/etcd_options.h"

namespace vtep {

/// The most that is taken in one message.
inline constexpr int kMaxEtcdMessage = 20'000'000;

/// What the options say of TLS. kInvalid or kPermission, naming the file, if one cannot be read or holds no
/// PEM.
Result<std::shared_ptr<grpc::ChannelCredentials>> make_etcd_credentials(const EtcdOptions& options);

/// Connects when it is first used, and again after a loss. `secure` is for https.
std::shared_ptr<grpc::Channel> make_etcd_channel(const EtcdEndpoint& endpoint, const EtcdOptions& options,
                                                 const std::shared_ptr<grpc::ChannelCredentials>& secure);

}  // namespace vtep
