#include "daemon/config_words.h"

#include "base/vni.h"

namespace vtep {

std::uint32_t vni_of(const YamlField& field) {
  return field.number(0, Vni::kMax, "a VNI, 0 to 16777215");
}

IpAddr unicast_of(const YamlField& field) {
  const IpAddr ip = field.ip();
  if (ip.is_multicast()) field.refuse_value("a unicast address; a multicast one is written as group");
  return ip;
}

IpAddr group_of(const YamlField& field) {
  const IpAddr ip = field.ip();
  if (!ip.is_multicast())
    field.refuse_value("a multicast address, like 239.1.1.1; a unicast one is written as remote");
  return ip;
}

MacAddr station_of(const YamlField& field) {
  const MacAddr mac = field.mac();
  if (!mac.is_unicast()) field.refuse_value("the MAC address of one interface, neither a group nor zero");
  return mac;
}

v1::Datapath datapath_of(const YamlField& field) {
  const std::string& word = field.node().text;
  if (word != "user" && word != "kernel") field.refuse_value("user or kernel");
  return word == "kernel" ? v1::DATAPATH_KERNEL : v1::DATAPATH_USER;
}

std::string read_word(const YamlMap& map, std::string_view key, std::string_view wanted) {
  const auto field = map.find(key);
  if (!field) return {};
  const std::string_view word = field->word(wanted);
  if (word.empty()) field->refuse_value(wanted);
  return std::string(word);
}

}  // namespace vtep
