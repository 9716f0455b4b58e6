#include "wire/any_bytes.h"
#include "wire/any_bytes_parts.h"
#include "wire/checksum.h"
#include "wire/igmp.h"
#include "wire/ip_protocol.h"
#include "wire/mld.h"

namespace vtep {
namespace {

template <typename Address>
void check_records(GroupRecordCursor<Address> cursor, ByteView message, bool is_report) {
  std::size_t walked = 0;
  std::uint64_t seen = 0;  // so that every address is read
  while (const auto record = cursor.next()) {
    walked += record->size();
    seen += record->group().is_multicast() ? 1 : 0;
    const auto sources = record->sources();
    for (std::size_t i = 0; i < sources.size(); ++i) seen += sources[i].is_multicast() ? 1 : 0;
  }
  require(walked <= message.size() && seen <= message.size(), "the records lie inside the message");
  require(is_report || walked == 0, "only a report has records");
}

template <typename Message>
void check_igmp_message(const IgmpView& view) {
  const auto message = Message::parse(view);
  if (!message) return;
  auto out = dirty(message->size());
  message->emit(out);
  const auto again = IgmpView::parse(out);
  require(again.has_value() && again->is_checksum_right(), "an emitted message has a right checksum");
  require(Message::parse(*again) == message, "an IGMP message survives emit and parse");
}

template <typename Message>
void check_mld_message(const Ipv6View& packet, const Icmpv6View& view) {
  const auto message = Message::parse(view);
  if (!message) return;
  auto out = dirty(message->size());
  const auto size = static_cast<std::uint32_t>(out.size());
  const std::uint64_t sum = pseudo_header_sum(packet.source(), packet.destination(), kProtocolIcmpv6, size);
  message->emit(out, sum);
  const auto again = Icmpv6View::parse(out);
  require(again.has_value() && again->is_checksum_right(sum), "an emitted message has a right checksum");
  require(Message::parse(*again) == message, "an MLD message survives emit and parse");
}

}  // namespace

void check_igmp(ByteView datagram) {
  const auto packet = Ipv4View::parse(datagram);
  if (!packet) return;
  const ByteView message = packet->payload();
  const auto view = IgmpView::parse(message);
  require(view.has_value() == (message.size() >= IgmpView::kMinSize), "8 bytes are an IGMP message");
  if (!view) return;
  check_igmp_message<IgmpQuery>(*view);
  check_igmp_message<IgmpReport>(*view);
  check_igmp_message<IgmpLeave>(*view);
  check_igmp_message<IgmpReportV3>(*view);
  check_records(view->records(), message, true);
  require(!is_valid_igmp(*packet, *view) || packet->ttl() == 1, "a legal packet goes one hop");
}

void check_mld(ByteView datagram) {
  const auto packet = Ipv6View::parse(datagram);
  if (!packet) return;
  const Ipv6Upper upper = packet->upper();
  if (!upper.offset) return;
  const ByteView message = packet->payload().subspan(*upper.offset);
  const auto view = Icmpv6View::parse(message);
  if (!view) return;
  check_mld_message<MldQuery>(*packet, *view);
  check_mld_message<MldReport>(*packet, *view);
  check_mld_message<MldDone>(*packet, *view);
  check_mld_message<MldReportV2>(*packet, *view);
  check_records(mld_records(*view), message, view->type() == mld_type::kReportV2);
  require(!is_valid_mld(*packet, *view) || packet->hop_limit() == 1, "a legal packet goes one hop");
}

}  // namespace vtep
