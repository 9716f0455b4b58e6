#include "cli/link_words.h"

#include <fmt/format.h>
#include <linux/if.h>

#include <array>
#include <span>
#include <string_view>

namespace vtep {

namespace {

struct Flag {
  std::uint32_t bit;
  std::string_view name;
};

// In the order in which iproute2 prints them.
constexpr Flag kFlags[] = {
    {IFF_LOOPBACK, "LOOPBACK"},   {IFF_BROADCAST, "BROADCAST"},   {IFF_POINTOPOINT, "POINTOPOINT"},
    {IFF_MULTICAST, "MULTICAST"}, {IFF_NOARP, "NOARP"},           {IFF_ALLMULTI, "ALLMULTI"},
    {IFF_PROMISC, "PROMISC"},     {IFF_MASTER, "MASTER"},         {IFF_SLAVE, "SLAVE"},
    {IFF_DEBUG, "DEBUG"},         {IFF_DYNAMIC, "DYNAMIC"},       {IFF_AUTOMEDIA, "AUTOMEDIA"},
    {IFF_PORTSEL, "PORTSEL"},     {IFF_NOTRAILERS, "NOTRAILERS"}, {IFF_UP, "UP"},
    {IFF_LOWER_UP, "LOWER_UP"},   {IFF_DORMANT, "DORMANT"},       {IFF_ECHO, "ECHO"},
};

constexpr std::string_view kOperstates[] = {"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN",
                                            "TESTING", "DORMANT",    "UP"};
constexpr std::string_view kLinkModes[] = {"DEFAULT", "DORMANT"};
constexpr std::string_view kAddrGenModes[] = {"eui64", "none", "stable_secret", "random"};

std::string name_or_number(std::span<const std::string_view> names, std::uint32_t number) {
  return number < names.size() ? std::string(names[number]) : fmt::format("{:#x}", number);
}

}  // namespace

std::vector<std::string> flag_names(std::uint32_t flags) {
  std::vector<std::string> names;
  if ((flags & IFF_UP) != 0 && (flags & IFF_RUNNING) == 0) names.emplace_back("NO-CARRIER");
  flags &= ~std::uint32_t{IFF_RUNNING};
  for (const auto& [bit, name] : kFlags) {
    if ((flags & bit) == 0) continue;
    flags &= ~bit;
    names.emplace_back(name);
  }
  if (flags != 0) names.push_back(fmt::format("{:x}", flags));
  return names;
}

std::string operstate_name(std::uint32_t state) {
  return name_or_number(kOperstates, state);
}

std::string link_mode_name(std::uint32_t mode) {
  return name_or_number(kLinkModes, mode);
}

std::string addr_gen_mode_name(std::uint32_t mode) {
  return name_or_number(kAddrGenModes, mode);
}

std::string group_name(std::uint32_t group) {
  return group == 0 ? "default" : fmt::format("{}", group);
}

}  // namespace vtep
