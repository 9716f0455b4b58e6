// What stands in a flannel network's etcd: the first byte says whether it is the network's configuration, a
// node's lease (its key, a line's end, its value) or a subnet file.
#include <cstdint>
#include <string_view>

#include "control/flannel_network.h"
#include "engine_input.h"

namespace vtep::fuzz {
namespace {

void check_range(const std::optional<FlannelRange>& range, std::uint64_t random) {
  if (!range) return;
  REQUIRE(range->network.contains(range->first) && range->network.contains(range->last));
  REQUIRE(range->first <= range->last);
  const auto first = pick_subnet(*range, {}, random);
  REQUIRE(first && range->contains(*first));
  const auto second = pick_subnet(*range, {&*first, 1}, random);
  REQUIRE(!second || (range->contains(*second) && *second != *first));
}

void check_network(std::string_view text) {
  const auto network = FlannelNetwork::parse(text);
  if (!network) return;
  REQUIRE(network->range4 || network->range6);
  check_range(network->range4, text.size());
  check_range(network->range6, text.size());
}

void check_lease(std::string_view text) {
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return;
  const std::string_view key = text.substr(0, line);
  const auto lease = FlannelLease::parse(key, text.substr(line + 1));
  if (!lease) return;
  REQUIRE(lease->ends().size() == FlannelLease::subnets(key).size());
  const auto again = FlannelLease::parse(lease->key(), lease->value());
  REQUIRE(again && *again == *lease);
}

void check_file(std::string_view text) {
  const auto file = FlannelSubnetFile::parse(text);
  REQUIRE(!file.subnet4 || file.subnet4->address().is_v4());
  REQUIRE(!file.subnet6 || file.subnet6->address().is_v6());
}

}  // namespace
}  // namespace vtep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr decltype(&vtep::fuzz::check_file) kChecks[] = {vtep::fuzz::check_network, vtep::fuzz::check_lease,
                                                           vtep::fuzz::check_file};
  kChecks[data[0] % 3](text);
  return 0;
}
