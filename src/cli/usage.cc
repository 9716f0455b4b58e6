#include "cli/usage.h"

namespace vtep {

const std::string_view kUsage =
    R"(Usage: vtep [ OPTIONS ] OBJECT { COMMAND | help }
       vtep [ -force ] -batch FILE
where  OBJECT := { link | fdb | vni | nexthop | mdb | neigh | remote | source | drop | monitor | daemon }
       OPTIONS := { -s[tatistics] | -d[etails] | -j[son] | -p[retty] | -br[ief] |
                    -b[atch] FILE | -force | --socket PATH | -V[ersion] | -h[elp] }
)";

const std::string_view kLinkUsage =
    R"(Usage: vtep link add [ name ] NAME [ address LLADDR ] [ mtu MTU ] type vxlan OPTIONS
       vtep link set [ dev ] NAME [ name NEWNAME ] [ up | down ] [ address LLADDR ] [ mtu MTU ]
              [ type vxlan OPTIONS ]
       vtep link del [ dev ] NAME
       vtep link [ show [ [ dev ] NAME ] [ type vxlan ] [ up ] ]
       vtep link add type vxlan help
)";

const std::string_view kVxlanUsage =
    R"(Usage: ... vxlan { id VNI | external vnifilter }
		[ { group | remote } IP_ADDRESS ]
		[ local ADDR [ local ADDR ] ]
		[ ttl TTL ]
		[ tos TOS ]
		[ df DF ]
		[ flowlabel LABEL ]
		[ dev PHYS_DEV ]
		[ dstport PORT ]
		[ srcport MIN MAX ]
		[ reserved_bits VALUE ]
		[ [no]learning ]
		[ [no]proxy ]
		[ [no]rsc ]
		[ [no]l2miss ]
		[ [no]l3miss ]
		[ ageing SECONDS ]
		[ maxaddress NUMBER ]
		[ [no]udpcsum ]
		[ [no]udp6zerocsumtx ]
		[ [no]udp6zerocsumrx ]
		[ [no]remcsumtx ] [ [no]remcsumrx ]
		[ [no]localbypass ]
		[ [no]gbp ]
		[ vlan { strip | allow | discard } ]
		[ [no]mssclamp ]
		[ [no]mcsnoop ]
		[ limit { broadcast | unknown | multicast } RATE ]...
		[ moves { NUMBER SECONDS | none } ]
		[ allow { PREFIX | none } ]... [ deny { PREFIX | none } ]...
		[ datapath { user | kernel } ]
		[ control { NAME[,NAME]... | none } ]
		[ announce { PREFIX | none } ]... [ accept { PREFIX | none } ]...

Where:	VNI	:= 0-16777215
	ADDR	:= IP_ADDRESS; twice: one IPv4 and one IPv6
	TOS	:= { HEX_NUMBER | AF11 | ... | CS1 | ... | EF | inherit }
	TTL	:= { 1..255 | auto | inherit }
	DF	:= { unset | set | inherit }
	LABEL	:= { 0-1048575 | inherit }
	SECONDS	:= { NUMBER | none }
	NUMBER	:= { 1..4294967295 | unlimited }
	RATE	:= { FRAMES_PER_SECOND | none }
)";

const std::string_view kFdbUsage =
    R"(Usage: vtep fdb { add | append | replace | del } LLADDR dev DEV [ self ] [ router ]
              { [ dst IPADDR ] [ port PORT ] [ vni VNI ] [ via DEV ] | [ nhid ID ] }
              [ src_vni VNI ] [ permanent | local | static | dynamic ]
       vtep fdb [ show [ dev DEV ] [ state STATE ] [ dynamic ] ]
       vtep fdb get LLADDR dev DEV [ vni VNI ] [ src_vni VNI ] [ self ]
       vtep fdb flush dev DEV [ dst IPADDR ] [ port PORT ] [ vni VNI ] [ via DEV ] [ nhid ID ]
              [ src_vni VNI ] [ self ] [ [no]permanent ] [ [no]static ] [ [no]dynamic ] [ [no]router ]
where  STATE := { permanent | static | dynamic | all }
)";

const std::string_view kVniUsage =
    R"(Usage: vtep vni { add | del } dev DEV vni VNI[-VNI][,...] [ vlan VID[-VID][,...] ]
              [ { group | remote } IPADDR ]
       vtep [ -s ] vni [ show [ dev DEV ] ]
)";

const std::string_view kNexthopUsage =
    R"(Usage: vtep nexthop { add | replace } id ID { via IPADDR | group GROUP } [ fdb ]
       vtep nexthop del id ID
       vtep nexthop [ show [ id ID ] [ groups ] ]
       vtep nexthop get id ID
where  GROUP := ID[,WEIGHT][/ID[,WEIGHT]]...
       WEIGHT := 1-256
)";

const std::string_view kMdbUsage =
    R"(Usage: vtep mdb { add | replace | del } dev DEV [ port DEV ] grp GROUP [ src SOURCE ] [ permanent ]
              dst IPADDR [ dst_port PORT ] [ vni VNI ] [ src_vni VNI ] [ via DEV ]
       vtep [ -d ] [ -s ] mdb [ show [ dev DEV ] ]
where  GROUP := { MULTICAST_IPADDR | 0.0.0.0 | :: }
)";

const std::string_view kNeighbourUsage =
    R"(Usage: vtep neigh { add | replace } IPADDR lladdr LLADDR dev DEV [ router ] [ src_vni VNI ]
       vtep neigh del IPADDR dev DEV [ src_vni VNI ]
       vtep [ -s ] neigh [ show [ IPADDR ] [ dev DEV ] ]
)";

const std::string_view kRemoteUsage =
    R"(Usage: vtep remote set IPADDR [ udpcsum | noudpcsum | default ] [ mtu { BYTES | auto } ]
       vtep remote [ show [ dev DEV ] ]
)";

const std::string_view kSourceUsage =
    R"(Usage: vtep [ -d ] source [ show [ NAME ] ]
)";

const std::string_view kDropUsage =
    R"(Usage: vtep [ -d ] drop [ show [ dev DEV ] ]
)";

const std::string_view kMonitorUsage =
    R"(Usage: vtep monitor [ all | link | fdb | neigh | mdb ]...
)";

const std::string_view kDaemonUsage =
    R"(Usage: vtep daemon [ show | stop | detach | restart ]
)";

}  // namespace vtep
