#include "io/netlink_socket.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "io/netlink_attributes.h"
#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kSubscriptionBuffer = 1 << 20;

ByteView bytes_at(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

/// libnl's callbacks, with what they share for one nl_recvmsgs().
struct Conversation {
  const NetlinkSocket::OnMessage* on_message = nullptr;
  std::optional<NetlinkRefusal> refusal;
  bool done = false;
};

int take_message(nl_msg* message, void* arg) {
  const auto* conversation = static_cast<Conversation*>(arg);
  const nlmsghdr* header = nlmsg_hdr(message);
  if (*conversation->on_message) {
    (*conversation->on_message)(
        header->nlmsg_type, bytes_at(nlmsg_data(header), static_cast<std::size_t>(nlmsg_datalen(header))));
  }
  return NL_OK;
}

int take_end(nl_msg*, void* arg) {
  static_cast<Conversation*>(arg)->done = true;
  return NL_OK;
}

int take_any_sequence(nl_msg*, void*) {
  return NL_OK;
}

/// The sentence of an extended acknowledgement, which stands behind the nlmsgerr (NETLINK_CAP_ACK keeps the
/// request from being repeated in between).
std::string extended_message(const nlmsgerr& refusal) {
  const auto* header = static_cast<const nlmsghdr*>(static_cast<const void*>(
      static_cast<const std::uint8_t*>(static_cast<const void*>(&refusal)) - NLMSG_HDRLEN));
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0 || (header->nlmsg_flags & NLM_F_CAPPED) == 0) return {};
  const auto payload = bytes_at(&refusal, static_cast<std::size_t>(nlmsg_datalen(header)));
  NetlinkAttributes attributes(payload.subspan(sizeof(nlmsgerr)));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == NLMSGERR_ATTR_MSG) return attribute->text();
  }
  return {};
}

int take_error(sockaddr_nl*, nlmsgerr* refusal, void* arg) {
  auto* conversation = static_cast<Conversation*>(arg);
  conversation->refusal = NetlinkRefusal{-refusal->error, extended_message(*refusal)};
  conversation->done = true;
  return NL_STOP;
}

struct FreeCallbacks {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

std::unique_ptr<nl_cb, FreeCallbacks> make_callbacks(Conversation& conversation) {
  std::unique_ptr<nl_cb, FreeCallbacks> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) throw std::bad_alloc();
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, take_message, &conversation);
  nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, take_end, &conversation);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, take_end, &conversation);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, take_error, &conversation);
  return callbacks;
}

}  // namespace

NetlinkRequest::NetlinkRequest(int type, int flags, ByteView header)
    : message_(nlmsg_alloc_simple(type, flags)) {
  // nlmsg_append grows nothing: a page is far more than any request of ours.
  if (!message_ || nlmsg_append(message_.get(), const_cast<std::uint8_t*>(header.data()), header.size(),
                                NLMSG_ALIGNTO) != 0) {
    throw std::bad_alloc();
  }
}

void NetlinkRequest::Free::operator()(nl_msg* message) const {
  nlmsg_free(message);
}

NetlinkRequest& NetlinkRequest::add(int attribute, ByteView payload) {
  if (nla_put(message_.get(), attribute, static_cast<int>(payload.size()), payload.data()) != 0) {
    throw std::bad_alloc();
  }
  return *this;
}

NetlinkRequest& NetlinkRequest::add(int attribute, std::uint32_t value) {
  return add(attribute, bytes_at(&value, sizeof(value)));
}

NetlinkRequest& NetlinkRequest::add(int attribute, const std::string& text) {
  return add(attribute, bytes_at(text.c_str(), text.size() + 1));
}

Error NetlinkRefusal::to_error(const std::string& what) const {
  Error error = system_error(what, error_number);
  if (!message.empty()) error.message = what + ": " + message;
  switch (error_number) {
    case ENODEV:
      error.kind = ErrorKind::kNotFound;
      break;
    case EEXIST:
      error.kind = ErrorKind::kExists;
      break;
    case EINVAL:
    case ERANGE:
    case EADDRNOTAVAIL:
      error.kind = ErrorKind::kInvalid;
      break;
    default:
      break;
  }
  return error;
}

void NetlinkSocket::Free::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Result<NetlinkSocket> NetlinkSocket::connect() {
  NetlinkSocket socket(nl_socket_alloc());
  if (!socket.socket_) return fail(ErrorKind::kSystem, "Cannot allocate a netlink socket");
  if (const int error = nl_connect(socket.socket_.get(), NETLINK_ROUTE); error < 0) {
    return fail(ErrorKind::kSystem, std::string("Cannot open a netlink socket: ") + nl_geterror(error));
  }
  return socket;
}

Result<NetlinkSocket> NetlinkSocket::create() {
  auto socket = connect();
  if (!socket) return socket;
  // Both are niceties: without them errors have no sentence.
  const int on = 1;
  ::setsockopt(socket->fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  ::setsockopt(socket->fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  return socket;
}

Result<NetlinkSocket> NetlinkSocket::subscribe(std::span<const int> groups) {
  auto socket = connect();
  if (!socket) return socket;
  nl_socket_set_buffer_size(socket->socket_.get(), kSubscriptionBuffer, 0);
  for (const int group : groups) {
    if (const int error = nl_socket_add_membership(socket->socket_.get(), group); error < 0) {
      return fail(ErrorKind::kSystem,
                  std::string("Cannot subscribe to netlink notifications: ") + nl_geterror(error));
    }
  }
  if (const int error = nl_socket_set_nonblocking(socket->socket_.get()); error < 0) {
    return fail(ErrorKind::kSystem, std::string("Cannot open a netlink socket: ") + nl_geterror(error));
  }
  return socket;
}

std::optional<NetlinkRefusal> NetlinkSocket::request(NetlinkRequest request, const OnMessage& on_message) {
  if (const int error = nl_send_auto(socket_.get(), request.message_.get()); error < 0) {
    return NetlinkRefusal{EIO, nl_geterror(error)};
  }
  Conversation conversation;
  conversation.on_message = &on_message;
  const auto callbacks = make_callbacks(conversation);
  while (!conversation.done) {
    const int error = nl_recvmsgs(socket_.get(), callbacks.get());
    if (conversation.refusal) return conversation.refusal;
    // The table changed while it was dumped: what came may hold things twice or not at all.
    if (error == -NLE_DUMP_INTR) return NetlinkRefusal{EAGAIN, {}};
    if (error < 0) return NetlinkRefusal{EIO, nl_geterror(error)};
  }
  return std::nullopt;
}

NetlinkSocket::Received NetlinkSocket::receive(const OnMessage& on_message) {
  Conversation conversation;
  conversation.on_message = &on_message;
  const auto callbacks = make_callbacks(conversation);
  nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM, take_any_sequence, nullptr);
  const int error = nl_recvmsgs(socket_.get(), callbacks.get());
  if (error == -NLE_AGAIN) return Received::kNothing;
  // ENOBUFS comes as NLE_NOMEM. A message that libnl cannot read is as good as lost, too.
  return error < 0 ? Received::kOverrun : Received::kMessages;
}

int NetlinkSocket::fd() const {
  return nl_socket_get_fd(socket_.get());
}

}  // namespace vtep
