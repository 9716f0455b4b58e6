// Remote checksum offload (draft-herbert-vxlan-rco-00, as Linux has it): the outer UDP checksum covers the
// inner packet too, so the sender leaves the inner checksum unfinished, and the receiver finishes it.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |R|R|R|R|I|R|R|R|R|R|C|              Reserved                   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                VXLAN Network Identifier (VNI) |O| Csum start  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// C (vxlan_bits::kRemoteChecksumFlag): the last byte means something. Csum start: where the sum begins, from
// the inner frame's first byte, in units of two bytes. O: the checksum's place is 6 bytes from there (UDP) if
// set, else 16 (TCP). It holds the pseudo-header's sum, as local senders leave it too.
#pragma once

#include <cstdint>
#include <optional>

#include "base/packet.h"

namespace vtep {

/// The header's last byte, for a frame whose checksum is to be left unfinished. Empty if there is nothing to
/// finish, or it cannot be said: a start that is odd or beyond 254, a place of neither TCP nor UDP.
std::optional<std::uint8_t> remote_checksum_byte(const Offload& offload);

/// For a frame that came behind a header with C set: replaces frame.offload by what `byte` asks for. False,
/// and nothing changed, if the checksum's place is not all inside the frame; or if its start is inside the
/// Ethernet header, which Linux lets pass: no checksum covers that, and the interface's kernel takes it ill.
bool apply_remote_checksum(Packet& frame, std::uint8_t byte);

}  // namespace vtep
