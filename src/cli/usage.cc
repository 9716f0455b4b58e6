#include "cli/usage.h"

namespace vtep {

const std::string_view kUsage =
    R"(Usage: vtep [ OPTIONS ] OBJECT { COMMAND | help }
       vtep [ -force ] -batch FILE
where  OBJECT := { link | fdb | drop | monitor | daemon }
       OPTIONS := { -s[tatistics] | -d[etails] | -j[son] | -p[retty] | -br[ief] |
                    -b[atch] FILE | -force | --socket PATH | -V[ersion] | -h[elp] }
)";

const std::string_view kLinkUsage =
    R"(Usage: vtep link add [ name ] NAME [ address LLADDR ] [ mtu MTU ] type vxlan OPTIONS
       vtep link set [ dev ] NAME [ up | down ] [ address LLADDR ] [ mtu MTU ] [ type vxlan OPTIONS ]
       vtep link del [ dev ] NAME
       vtep link [ show [ [ dev ] NAME ] [ type vxlan ] [ up ] ]
       vtep link add type vxlan help
)";

const std::string_view kVxlanUsage =
    R"(Usage: ... vxlan id VNI
		[ { group | remote } IP_ADDRESS ]
		[ local ADDR ]
		[ ttl TTL ]
		[ dev PHYS_DEV ]
		[ dstport PORT ]
		[ srcport MIN MAX ]
		[ [no]learning ]
		[ ageing SECONDS ]

Where:	VNI	:= 0-16777215
	ADDR	:= IP_ADDRESS
	TTL	:= { 1..255 | auto }
	SECONDS	:= { NUMBER | none }
)";

const std::string_view kFdbUsage =
    R"(Usage: vtep fdb { add | append | replace | del } LLADDR dev DEV [ self ]
              [ dst IPADDR ] [ port PORT ] [ vni VNI ] [ via DEV ]
              [ permanent | local | static | dynamic ]
       vtep fdb [ show [ dev DEV ] [ state STATE ] [ dynamic ] ]
       vtep fdb get LLADDR dev DEV [ vni VNI ] [ self ]
       vtep fdb flush dev DEV [ dst IPADDR ] [ port PORT ] [ vni VNI ] [ via DEV ] [ self ]
              [ [no]permanent ] [ [no]static ] [ [no]dynamic ]
where  STATE := { permanent | static | dynamic | all }
)";

const std::string_view kDropUsage =
    R"(Usage: vtep [ -d ] drop [ show [ dev DEV ] ]
)";

const std::string_view kMonitorUsage =
    R"(Usage: vtep monitor [ all | link | fdb ]
)";

const std::string_view kDaemonUsage =
    R"(Usage: vtep daemon [ show | stop | detach | restart ]
)";

}  // namespace vtep
