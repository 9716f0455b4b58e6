#include "cli/nexthop_print.h"

#include <fmt/format.h>

namespace vtep {

namespace {

// What the kernel calls the scope of an address behind a link, and of what is none.
std::string_view scope_of(const v1::Nexthop& nexthop) {
  return nexthop.via().empty() ? "global" : "link";
}

// iproute2 says the scope of a group only with -d.
bool says_scope(const v1::Nexthop& nexthop, const Format& format) {
  return format.details > 0 || !nexthop.via().empty();
}

bool says_weight(const v1::NexthopMember& member) {
  return member.weight() > 1;
}

}  // namespace

std::string nexthop_text(const v1::Nexthop& nexthop, const Format& format) {
  std::string text = fmt::format("id {} ", nexthop.id());
  std::string_view separator = "group ";
  for (const v1::NexthopMember& member : nexthop.members()) {
    text += fmt::format("{}{}", separator, member.id());
    if (says_weight(member)) text += fmt::format(",{}", member.weight());
    separator = "/";
  }
  if (!nexthop.members().empty()) text += ' ';
  if (!nexthop.via().empty()) text += fmt::format("via {} ", nexthop.via());
  if (says_scope(nexthop, format)) text += fmt::format("scope {} ", scope_of(nexthop));
  if (format.details > 0) text += "proto unspec ";
  return text + "fdb\n";
}

Json nexthop_json(const v1::Nexthop& nexthop, const Format& format) {
  Json json = {{"id", nexthop.id()}};
  for (const v1::NexthopMember& member : nexthop.members()) {
    Json each = {{"id", member.id()}};
    if (says_weight(member)) each["weight"] = member.weight();
    json["group"].push_back(std::move(each));
  }
  if (!nexthop.via().empty()) json["gateway"] = nexthop.via();
  if (says_scope(nexthop, format)) json["scope"] = scope_of(nexthop);
  if (format.details > 0) json["protocol"] = "unspec";
  json["flags"] = Json::array();
  json["fdb"] = nullptr;
  return json;
}

}  // namespace vtep
