#include "engine_driver.h"

namespace vtep::fuzz {

void Driver::run() {
  while (!in_.empty()) {
    command();
    check_tables();
  }
  while (!links_.empty()) remove_link(links_.begin()->first);
  check_tables();
  while (!nexthops_.empty()) {
    REQUIRE(engine_.remove_nexthop(nexthops_.begin()->first).has_value());
    nexthops_.clear();
    for (const Nexthop& left : engine_.nexthops().list()) nexthops_[left.id] = left;
  }
  for (const auto& [address, made] : paths_) {
    engine_.paths().set_mtu(address, 0);
    engine_.paths().set_checksum(address, std::nullopt);
  }
  REQUIRE(engine_.fdb().size() == 0);
  REQUIRE(engine_.mdb().size() == 0);
  REQUIRE(engine_.neighbours().size() == 0);
  REQUIRE(engine_.remote_count() == 0);
  REQUIRE(engine_.paths().list().empty());
}

void Driver::command() {
  const std::uint8_t which = in_.byte() % 24;
  if (which == 0 || links_.empty()) return add_link();
  switch (which) {
    case 1:
      return change_link();
    case 2:
      return remove_link(some_link());
    case 3:
      return fdb_set();
    case 4:
      return fdb_remove();
    case 5:
      return fdb_flush();
    case 6:
    case 7:
      return encapsulate();
    case 8:
    case 9:
      return decapsulate();
    case 10:
      now_ += std::chrono::milliseconds(in_.byte() * 100);
      return;
    case 11:
      now_ += std::chrono::seconds(in_.word());
      return;
    case 12:
      return advance(in_.byte() + 1U);
    case 13:
      return move_device();
    case 14:
    case 15:
      return nexthop_set();
    case 16:
      return nexthop_remove();
    case 17:
    case 18:
      return mdb_set();
    case 19:
      return mdb_remove();
    case 20:
      return neighbour_set();
    case 21:
      return neighbour_remove();
    case 22:
      return path_set();
    default:
      refuse_stranger();
  }
}

}  // namespace vtep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vtep::fuzz::Input input(vtep::ByteView(data, size));
  vtep::fuzz::Driver(input).run();
  return 0;
}
