#include "io/netlink_socket.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "io/netlink_attributes.h"
#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kSubscriptionBuffer = 1 << 20;
constexpr int kDumpAttempts = 10;
/// Overruns in one receive_all() after which the rest of the queue waits for the next.
constexpr int kMaxOverruns = 16;
/// Requests sent at once. All may be refused, and the refusals (over 1 KB each, as the kernel counts) must
/// fit into the socket's buffer of 64 KB.
constexpr std::size_t kBatch = 32;

ByteView bytes_at(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

/// libnl's callbacks, with what they share for one nl_recvmsgs().
struct Conversation {
  const NetlinkSocket::OnMessage* on_message = nullptr;
  std::optional<std::uint32_t> sequence;  ///< what answers another request is skipped
  std::optional<NetlinkRefusal> refusal;
  bool done = false;
};

int take_message(nl_msg* message, void* arg) {
  const auto* conversation = static_cast<Conversation*>(arg);
  const nlmsghdr* header = nlmsg_hdr(message);
  if (conversation->sequence.value_or(header->nlmsg_seq) != header->nlmsg_seq) return NL_SKIP;
  if (*conversation->on_message) {
    (*conversation->on_message)(
        header->nlmsg_type, bytes_at(nlmsg_data(header), static_cast<std::size_t>(nlmsg_datalen(header))));
  }
  return NL_OK;
}

int take_end(nl_msg* message, void* arg) {
  auto* conversation = static_cast<Conversation*>(arg);
  if (conversation->sequence == nlmsg_hdr(message)->nlmsg_seq) conversation->done = true;
  return NL_OK;
}

/// libnl expects one acknowledgement for each request, and a batch has one for many.
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
  if (conversation->sequence != refusal->msg.nlmsg_seq) return NL_SKIP;
  conversation->refusal = NetlinkRefusal{-refusal->error, extended_message(*refusal)};
  conversation->done = true;
  return NL_STOP;
}

/// The same for requests that were sent together, with sequence numbers from `first` on.
struct BatchConversation {
  std::uint32_t first = 0;
  std::span<std::optional<NetlinkRefusal>> answers;
  bool done = false;

  /// The kernel answers in order: after the last there is nothing to wait for.
  bool take(std::uint32_t sequence) {
    const std::uint32_t index = sequence - first;
    if (index >= answers.size()) return false;
    done = index + 1 == answers.size();
    return true;
  }
};

int take_batch_end(nl_msg* message, void* arg) {
  static_cast<BatchConversation*>(arg)->take(nlmsg_hdr(message)->nlmsg_seq);
  return NL_OK;
}

int take_batch_error(sockaddr_nl*, nlmsgerr* refusal, void* arg) {
  auto* conversation = static_cast<BatchConversation*>(arg);
  const std::uint32_t sequence = refusal->msg.nlmsg_seq;
  if (!conversation->take(sequence)) return NL_SKIP;
  conversation->answers[sequence - conversation->first] =
      NetlinkRefusal{-refusal->error, extended_message(*refusal)};
  return NL_SKIP;
}

struct FreeCallbacks {
  void operator()(nl_cb* callbacks) const { nl_cb_put(callbacks); }
};

using Callbacks = std::unique_ptr<nl_cb, FreeCallbacks>;

Callbacks make_callbacks() {
  Callbacks callbacks(nl_cb_alloc(NL_CB_DEFAULT));
  if (!callbacks) throw std::bad_alloc();
  nl_cb_set(callbacks.get(), NL_CB_SEQ_CHECK, NL_CB_CUSTOM, take_any_sequence, nullptr);
  return callbacks;
}

Callbacks make_callbacks(Conversation& conversation) {
  Callbacks callbacks = make_callbacks();
  nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, take_message, &conversation);
  nl_cb_set(callbacks.get(), NL_CB_FINISH, NL_CB_CUSTOM, take_end, &conversation);
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, take_end, &conversation);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, take_error, &conversation);
  return callbacks;
}

Callbacks make_callbacks(BatchConversation& conversation) {
  Callbacks callbacks = make_callbacks();
  nl_cb_set(callbacks.get(), NL_CB_ACK, NL_CB_CUSTOM, take_batch_end, &conversation);
  nl_cb_err(callbacks.get(), NL_CB_CUSTOM, take_batch_error, &conversation);
  return callbacks;
}

}  // namespace

std::uint8_t netlink_family(const IpAddr& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

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

NetlinkRequest& NetlinkRequest::add(int attribute, const IpAddr& address) {
  const ByteView octets = address.octets();
  return add(attribute, address.is_v4() ? octets.last(Ipv4::kSize) : octets);
}

NetlinkRequest& NetlinkRequest::add(int attribute, const std::string& text) {
  return add(attribute, bytes_at(text.c_str(), text.size() + 1));
}

Error NetlinkRefusal::to_error(const std::string& what) const {
  Error error = system_error(what, error_number);
  if (!message.empty()) error.message = what + ": " + message;
  switch (error_number) {
    case ENODEV:
    case ENOENT:
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
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
      error.kind = ErrorKind::kUnavailable;
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

Result<void> NetlinkSocket::hear_only(Neighbours kind) {
  constexpr std::uint32_t kAll = 0xffffffff;
  const bool is_bridges = kind == Neighbours::kBridges;
  // ndm_family is the first byte behind the netlink header.
  std::array<sock_filter, 4> code = {{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, NLMSG_HDRLEN},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_BRIDGE},
      {BPF_RET | BPF_K, 0, 0, is_bridges ? kAll : 0},
      {BPF_RET | BPF_K, 0, 0, is_bridges ? 0 : kAll},
  }};
  const sock_fprog program = {code.size(), code.data()};
  if (::setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return std::unexpected(system_error("Cannot filter neighbour notifications", errno));
  }
  return {};
}

std::optional<NetlinkRefusal> NetlinkSocket::request(NetlinkRequest request, const OnMessage& on_message) {
  if (const int error = nl_send_auto(socket_.get(), request.message_.get()); error < 0) {
    return NetlinkRefusal{EIO, nl_geterror(error)};
  }
  Conversation conversation;
  conversation.on_message = &on_message;
  conversation.sequence = nlmsg_hdr(request.message_.get())->nlmsg_seq;
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

std::vector<std::optional<NetlinkRefusal>> NetlinkSocket::request_all(
    std::size_t count, const std::function<NetlinkRequest(std::size_t)>& make) {
  std::vector<std::optional<NetlinkRefusal>> answers(count);
  for (std::size_t begin = 0; begin < count; begin += kBatch) {
    request_batch([&](std::size_t i) { return make(begin + i); },
                  Answers(answers).subspan(begin, std::min(kBatch, count - begin)));
  }
  return answers;
}

void NetlinkSocket::request_batch(const std::function<NetlinkRequest(std::size_t)>& make, Answers answers) {
  BatchConversation conversation;
  conversation.answers = answers;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const NetlinkRequest request = make(i);
    nl_complete_msg(socket_.get(), request.message_.get());
    nlmsghdr* header = nlmsg_hdr(request.message_.get());
    if (i == 0) conversation.first = header->nlmsg_seq;
    // Refusals come unasked. That the last is acknowledged says that all have been dealt with.
    if (i + 1 < answers.size()) header->nlmsg_flags &= static_cast<std::uint16_t>(~NLM_F_ACK);
    const ByteView message = bytes_at(header, header->nlmsg_len);
    bytes.insert(bytes.end(), message.begin(), message.end());
    bytes.resize(NLMSG_ALIGN(bytes.size()));
  }

  int error = nl_sendto(socket_.get(), bytes.data(), bytes.size());
  const auto callbacks = make_callbacks(conversation);
  while (error >= 0 && !conversation.done) error = nl_recvmsgs(socket_.get(), callbacks.get());
  if (conversation.done) return;
  // What became of those without a refusal is not known.
  for (auto& answer : answers) {
    if (!answer) answer = NetlinkRefusal{EIO, nl_geterror(error)};
  }
}

Result<void> NetlinkSocket::dump(const std::function<NetlinkRequest()>& begin, std::string_view things,
                                 const OnMessage& on_message) {
  const std::string what = "Cannot list " + std::string(things);
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    const auto refusal = request(begin(), on_message);
    if (!refusal) return {};
    if (refusal->error_number != EAGAIN) return std::unexpected(refusal->to_error(what));
  }
  return fail(ErrorKind::kUnavailable, what + ": they change too fast");
}

void NetlinkSocket::be_strict() {
  const int on = 1;
  ::setsockopt(fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

NetlinkSocket::Received NetlinkSocket::receive(const OnMessage& on_message) {
  Conversation conversation;
  conversation.on_message = &on_message;
  const auto callbacks = make_callbacks(conversation);
  const int error = nl_recvmsgs(socket_.get(), callbacks.get());
  if (error == -NLE_AGAIN) return Received::kNothing;
  // ENOBUFS comes as NLE_NOMEM. A message that libnl cannot read is as good as lost, too.
  return error < 0 ? Received::kOverrun : Received::kMessages;
}

bool NetlinkSocket::receive_all(const OnMessage& on_message) {
  int overruns = 0;
  while (overruns < kMaxOverruns) {
    const Received received = receive(on_message);
    if (received == Received::kNothing) break;
    if (received == Received::kOverrun) ++overruns;
  }
  return overruns == 0;
}

int NetlinkSocket::fd() const {
  return nl_socket_get_fd(socket_.get());
}

}  // namespace vtep
