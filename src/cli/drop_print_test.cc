#include "cli/drop_print.h"

#include <gmock/gmock.h>

namespace vtep {
namespace {

v1::ListDropsResponse drops() {
  v1::ListDropsResponse response;
  const auto add = [&](const char* dev, const char* name, std::uint64_t count, std::uint32_t port) {
    v1::DropCount& drop = *response.add_drops();
    drop.set_dev(dev);
    drop.set_name(name);
    drop.set_description("Why.");
    drop.set_count(count);
    drop.set_dstport(port);
  };
  add("vxlan0", "no_remote", 12345, 0);
  add("vxlan0", "own_source", 0, 0);
  add("vxlan0", "fragment", 1, 0);
  add("", "unknown_vni", 7, 4789);
  add("", "truncated", 2, 0);
  return response;
}

TEST(DropsText, OnlyWhatHappened) {
  EXPECT_EQ(drops_text(drops(), false),
            "vxlan0:\n"
            "    no_remote   12345  Why.\n"
            "    fragment        1  Why.\n"
            "no link, dstport 4789:\n"
            "    unknown_vni     7  Why.\n"
            "no link:\n"
            "    truncated       2  Why.\n");
}

TEST(DropsText, Everything) {
  EXPECT_THAT(drops_text(drops(), true), testing::HasSubstr("    own_source      0  Why.\n"));
}

TEST(DropsText, Nothing) {
  EXPECT_EQ(drops_text({}, true), "");
}

TEST(DropJson, Keys) {
  EXPECT_EQ(drop_json(drops().drops(0)).dump(),
            R"({"ifname":"vxlan0","name":"no_remote","count":12345,"description":"Why."})");
  EXPECT_EQ(drop_json(drops().drops(3)).dump(),
            R"({"port":4789,"name":"unknown_vni","count":7,"description":"Why."})");
}

}  // namespace
}  // namespace vtep
