// A NETLINK_ROUTE socket: one request at a time, or a subscription to groups. libnl does the transport
// (sequence numbers, acknowledgements, message buffers); the payloads are handed on unparsed.
//
// Thread safety: belongs to one thread. Speaks to the network namespace in which it was created.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

struct nl_msg;
struct nl_sock;

namespace vtep {

/// A request in the making. Attributes are copied in.
class NetlinkRequest {
 public:
  /// `type` is RTM_…, `flags` NLM_F_… beside REQUEST and ACK; `header` is the family's fixed part.
  NetlinkRequest(int type, int flags, ByteView header);
  template <typename Header>
  NetlinkRequest(int type, int flags, const Header& header)
      : NetlinkRequest(
            type, flags,
            ByteView(static_cast<const std::uint8_t*>(static_cast<const void*>(&header)), sizeof(header))) {}

  NetlinkRequest& add(int attribute, ByteView payload);
  NetlinkRequest& add(int attribute, std::uint32_t value);
  /// With the terminating zero.
  NetlinkRequest& add(int attribute, const std::string& text);

 private:
  friend class NetlinkSocket;
  struct Free {
    void operator()(nl_msg* message) const;
  };
  std::unique_ptr<nl_msg, Free> message_;
};

/// What the kernel answered instead of obeying.
struct NetlinkRefusal {
  int error_number = 0;
  std::string message;  ///< the kernel's own sentence (extended acknowledgement); often empty

  /// `what: message`, or with the errno's words. The kind follows from the errno.
  Error to_error(const std::string& what) const;
};

class NetlinkSocket {
 public:
  using OnMessage = std::function<void(std::uint16_t type, ByteView payload)>;

  static Result<NetlinkSocket> create();
  /// Non-blocking, and a member of `groups` (RTNLGRP_…).
  static Result<NetlinkSocket> subscribe(std::span<const int> groups);

  /// Sends, and calls `on_message` for every message of the answer until it is complete. Empty means success.
  std::optional<NetlinkRefusal> request(NetlinkRequest request, const OnMessage& on_message = {});

  enum class Received { kNothing, kMessages, kOverrun };
  /// Of a subscription: one read. After kOverrun messages have been lost.
  Received receive(const OnMessage& on_message);

  int fd() const;

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}
  static Result<NetlinkSocket> connect();

  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace vtep
