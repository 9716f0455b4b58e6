// The YAML configuration of vtepd, read into the message that the daemon applies:
//
//   links:
//     - name: vxlan0
//       id: 6000
//       group: 239.1.1.1            # or remote:
//       local: 10.138.36.66
//       dev: eno1
//       dstport: 4789
//       srcport: [49152, 65535]
//       ttl: 4                      # or auto
//       ageing: 300
//       learning: true
//       address: 4a:bd:99:0c:09:b2
//       mtu: 1450
//       up: true
//       fdb:
//         - { mac: "00:00:00:00:00:00", dst: 10.0.0.9 }   # and: port, vni, via, state
//
// A Config that comes out is complete and consistent in itself: addresses are in canonical text, names and
// (id, dstport) are unique, every FdbEntry has its `dev` and a state. What depends on the host (does the
// device exist, is the port free, can this build send over IPv6) is for the daemon to find out. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "vtep/v1/state.pb.h"

namespace vtep {

/// Errors: kSystem if the file cannot be read; kInvalid with one line
/// `FILE:LINE:COLUMN: KEY: what is wrong; what to write` otherwise. An empty file is an empty Config.
Result<v1::Config> load_config(const std::string& path);

/// The same for text in memory; `file_name` is only for messages.
Result<v1::Config> parse_config(std::string_view text, std::string_view file_name);

}  // namespace vtep
