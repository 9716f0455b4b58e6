// A NETLINK_ROUTE socket: requests, one at a time or many at once, or a subscription to groups. libnl does
// the transport (sequence numbers, acknowledgements, message buffers); the payloads are handed on unparsed.
//
// Thread safety: belongs to one thread. Speaks to the network namespace in which it was created.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip.h"
#include "base/result.h"

struct nl_msg;
struct nl_sock;

namespace vtep {

/// AF_INET or AF_INET6.
std::uint8_t netlink_family(const IpAddr& address);

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
  /// In as many bytes as its family has.
  NetlinkRequest& add(int attribute, const IpAddr& address);
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

  /// Both kinds of tables announce themselves to RTNLGRP_NEIGH, one message an entry.
  enum class Neighbours { kHosts, kBridges };
  /// Of neighbour notifications only those of hosts (ARP, ND), or of bridges' and vxlan devices' tables
  /// (AF_BRIDGE). The others are not even queued.
  Result<void> hear_only(Neighbours kind);

  /// Sends, and calls `on_message` for every message of the answer until it is complete. Empty means success.
  std::optional<NetlinkRefusal> request(NetlinkRequest request, const OnMessage& on_message = {});
  /// Sends `count` requests, none of which has an answer, and returns what became of each. They go to the
  /// kernel many at a time, which says once that it has obeyed them; `make(i)` is called when it is i's turn,
  /// and must not use this socket.
  std::vector<std::optional<NetlinkRefusal>> request_all(
      std::size_t count, const std::function<NetlinkRequest(std::size_t)>& make);
  /// Asks for a whole table, again where it changed while it was read. `begin` makes the question, and
  /// forgets what came before. `things` is what the table holds, for the sentence when it cannot be had.
  Result<void> dump(const std::function<NetlinkRequest()>& begin, std::string_view things,
                    const OnMessage& on_message);
  /// From now on a dump holds no more than was asked for. Before Linux 4.20 it may: look at what comes.
  void be_strict();

  enum class Received { kNothing, kMessages, kOverrun };
  /// Of a subscription: one read. After kOverrun messages have been lost.
  Received receive(const OnMessage& on_message);
  /// Of a subscription: all that is queued. False if messages have been lost; the rest of the queue may then
  /// wait for the next call.
  bool receive_all(const OnMessage& on_message);

  int fd() const;

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}
  static Result<NetlinkSocket> connect();
  using Answers = std::span<std::optional<NetlinkRefusal>>;
  void request_batch(const std::function<NetlinkRequest(std::size_t)>& make, Answers answers);

  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace vtep
