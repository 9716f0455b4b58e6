#include "engine/vni_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace vtep {
namespace {

constexpr Port kPort = kIanaVxlanPort;

TEST(VniTable, KnowsPortsApart) {
  Epochs epochs;
  VniTable table(epochs);
  EXPECT_TRUE(table.insert(kPort, 6000_vni, 1));
  EXPECT_FALSE(table.insert(kPort, 6000_vni, 2));
  EXPECT_TRUE(table.insert(kLinuxVxlanPort, 6000_vni, 2));
  EXPECT_EQ(table.find(kPort, 6000_vni), 1U);
  EXPECT_EQ(table.find(kLinuxVxlanPort, 6000_vni), 2U);
  EXPECT_EQ(table.find(kPort, 6001_vni), std::nullopt);
}

TEST(VniTable, ZeroIsAVniLikeAnyOther) {
  Epochs epochs;
  VniTable table(epochs);
  EXPECT_EQ(table.find(Port(), Vni()), std::nullopt);
  EXPECT_TRUE(table.insert(Port(), Vni(), 0));
  EXPECT_EQ(table.find(Port(), Vni()), 0U);
  table.erase(Port(), Vni());
  EXPECT_EQ(table.find(Port(), Vni()), std::nullopt);
}

TEST(VniTable, IsAMap) {
  Epochs epochs;
  VniTable table(epochs);
  std::map<std::uint32_t, LinkId> model;
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto number = static_cast<std::uint32_t>(random() % 500);
    const Vni vni = *Vni::from(number);
    if (random() % 2 == 0) {
      const auto link = static_cast<LinkId>(random() % 1000);
      EXPECT_EQ(table.insert(kPort, vni, link), model.try_emplace(number, link).second);
    } else {
      table.erase(kPort, vni);
      model.erase(number);
    }
    const auto known = model.find(number);
    EXPECT_EQ(table.find(kPort, vni), known == model.end() ? std::nullopt : std::optional(known->second));
  }
  for (std::uint32_t number = 0; number < 500; ++number) {
    EXPECT_EQ(table.find(kPort, *Vni::from(number)).has_value(), model.contains(number));
  }
}

}  // namespace
}  // namespace vtep
