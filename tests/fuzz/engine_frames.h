// Frames out of a fuzzer's input: well-formed ones of every protocol that the engine reads, the same with a
// few bytes changed, and noise.
#pragma once

#include "engine_input.h"

namespace vtep::fuzz {

test::Bytes some_frame(Input& in);

/// Aborts unless it is something that the engine may give back to a station: an answer of ARP or neighbour
/// discovery, or an ICMP message about a packet that was too big, complete and with right checksums.
void require_reply(ByteView frame);

}  // namespace vtep::fuzz
