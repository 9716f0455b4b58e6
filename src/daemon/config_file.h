// The YAML configuration of vtepd, read into the message that the daemon applies:
//
//   workers: 4                      # threads that move packets; or auto
//   spin: 50                        # microseconds of looking for packets before they sleep; or auto, off
//   links:
//     - name: vxlan0
//       id: 6000
//       group: 239.1.1.1            # or remote:
//       local: 10.138.36.66         # or one of each family: [10.138.36.66, fd00::66]
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
//         - { mac: "00:00:00:00:00:00", dst: 10.0.0.9 }   # and: port, vni, via, nhid, src_vni, router, state
//       neighbours:
//         - { ip: 192.168.5.1, mac: 0a:00:00:00:00:01 }   # and: router, src_vni
//     - name: vxlan1
//       external: true              # several VNIs, told apart by VLAN
//       vnifilter: true
//       vnis:
//         - { vni: 6001, vlan: 10, remote: 10.0.0.9 }     # or group
//   flannel:
//     etcd: [http://10.0.0.1:2379]
//     dev: eno1
//   mesh:
//     etcd: [http://10.0.0.1:2379]
//   evpn:
//     as: 65000
//     router_id: 10.0.0.1
//     neighbours: [{ address: 10.0.0.9, as: 65000 }]
//
// and every other option of `vtep link add … type vxlan`, by its word; vtepd.yaml(5) lists them.
//
// A Config that comes out is complete and consistent in itself: addresses are in canonical text, names and
// (id, dstport) are unique, every entry has its `dev`, every FdbEntry a state. What depends on the host (does
// the device exist, is the port free, can this build send over IPv6) is for the daemon to find out.
// Thread-safe.
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
