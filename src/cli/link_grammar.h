// The words behind `vtep link COMMAND`, as `ip link` takes them. Pure: nothing is asked and nothing is done.
#pragma once

#include <string>

#include "cli/words.h"
#include "vtep/v1/vtep.pb.h"

namespace vtep {

/// `[name] NAME [address LLADDR] [mtu MTU] type vxlan …`
Parsed<v1::AddLinkRequest> parse_link_add(Words& words);
/// `[dev] NAME [name NEWNAME] [up|down] [address LLADDR] [mtu MTU] [type vxlan …]`
Parsed<v1::SetLinkRequest> parse_link_set(Words& words);
/// `[dev] NAME`
Parsed<v1::DeleteLinkRequest> parse_link_delete(Words& words);

struct LinkShow {
  std::string name;  ///< empty: every link
  bool up = false;   ///< only those that are up
};
/// `[[dev] NAME] [type vxlan] [up]`
Parsed<LinkShow> parse_link_show(Words& words);

/// What `ip link add` says when nobody chose a port, in vtep's words; empty if somebody did.
std::string port_notice(const v1::AddLinkRequest& request);

}  // namespace vtep
