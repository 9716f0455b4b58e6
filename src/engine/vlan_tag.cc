#include "engine/vlan_tag.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "wire/ethernet.h"

namespace vtep {
namespace {

constexpr std::size_t kAddresses = EthernetHeader::kEthertype;

/// An offset behind the tag moves with what it points at. One in front, which only a broken sender asks for,
/// stays: it is refused, or answered with nonsense, as it would have been without a tag.
std::uint16_t without_tag(std::uint16_t offset) {
  constexpr std::size_t kBehind = EthernetHeader::kSize + VlanHeader::kSize;
  return offset < kBehind ? offset : static_cast<std::uint16_t>(offset - VlanHeader::kSize);
}

std::uint16_t with_tag(std::uint16_t offset) {
  if (offset < EthernetHeader::kSize) return offset;
  constexpr std::size_t kMax = std::numeric_limits<std::uint16_t>::max();
  return static_cast<std::uint16_t>(std::min(offset + VlanHeader::kSize, kMax));
}

}  // namespace

bool has_tag(ByteView frame) {
  return frame.size() >= EthernetHeader::kSize + VlanHeader::kSize &&
         is_vlan_ethertype(load_be16(frame.data() + EthernetHeader::kEthertype));
}

std::optional<std::uint16_t> outer_vlan(ByteView frame) {
  if (!has_tag(frame)) return std::nullopt;
  const std::uint16_t id = VlanView::parse(frame.subspan(EthernetHeader::kSize))->id();
  if (id == 0) return std::nullopt;
  return id;
}

void strip_tag(Packet& frame) {
  if (!has_tag(frame.view())) return;
  std::uint8_t* const start = frame.data();
  std::copy_backward(start, start + kAddresses, start + VlanHeader::kSize + kAddresses);
  frame.pull_front(VlanHeader::kSize);
  frame.offload.checksum_start = without_tag(frame.offload.checksum_start);
  frame.offload.header_length = without_tag(frame.offload.header_length);
}

void push_tag(Packet& frame, VlanId vlan) {
  assert(frame.headroom() >= VlanHeader::kSize);
  if (frame.size() < EthernetHeader::kSize) return;
  std::uint8_t* const start = frame.push_front(VlanHeader::kSize);
  std::copy_n(start + VlanHeader::kSize, kAddresses, start);
  store_be16(start + EthernetHeader::kEthertype, kEthertypeVlan);
  // What was the frame's ethertype stands behind the tag's control field, where it belongs.
  store_be16(start + EthernetHeader::kSize + VlanHeader::kControl, vlan.value());
  frame.offload.checksum_start = with_tag(frame.offload.checksum_start);
  frame.offload.header_length = with_tag(frame.offload.header_length);
}

}  // namespace vtep
