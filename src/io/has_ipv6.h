// Whether there is IPv6 to speak of.
#pragma once

namespace vtep {

/// False where the kernel has no IPv6, and where it is disabled on every interface of the calling thread's
/// network namespace (net.ipv6.conf.all.disable_ipv6=1, as many containers have it): sockets could be opened
/// there, and nothing would ever arrive.
bool has_ipv6();

}  // namespace vtep
