#include "cli/source_print.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

v1::Source source() {
  v1::Source source;
  source.set_name("flannel");
  source.set_connected(true);
  source.set_since(753);
  source.set_state("node with 10.244.47.0/24");
  source.set_dev("flannel.6000");
  source.set_facts(12);
  source.set_said(14);
  source.set_withdrawn(2);
  return source;
}

TEST(SourceText, WhatItDoes) {
  v1::Source one = source();
  EXPECT_EQ(source_text(one, {}),
            "flannel: connected for 00:12:33, node with 10.244.47.0/24, dev flannel.6000\n"
            "    facts 12 said 14 withdrawn 2 held 0 refused 0\n");
  one.set_changed(62);
  one.set_dev("");
  one.set_connected(false);
  one.set_held(5);
  one.set_refused(1);
  one.set_last_error("etcd does not answer");
  one.set_error_ago(90061);
  auto& refusal = *one.add_refusals();
  refusal.set_name("10.244.3.0-24");
  refusal.set_reason("it is not JSON");
  const std::string text =
      "flannel: not connected for 00:12:33, node with 10.244.47.0/24\n"
      "    facts 12 said 14 withdrawn 2 held 5 refused 1 changed 00:01:02 ago\n"
      "    last error 1d 01:01:01 ago: etcd does not answer\n";
  EXPECT_EQ(source_text(one, {}), text);
  EXPECT_EQ(source_text(one, {.details = 1}), text + "    refused 10.244.3.0-24: it is not JSON\n");
}

TEST(SourceJson, WhatItDoes) {
  v1::Source one = source();
  EXPECT_EQ(source_json(one, {}).dump(),
            R"({"name":"flannel","connected":true,"since":753,"state":"node with 10.244.47.0/24","facts":12,)"
            R"("said":14,"withdrawn":2,"held":0,"refused":0,"ifname":"flannel.6000"})");
  one.set_changed(0);
  one.set_last_error("why");
  one.set_error_ago(3);
  const Json json = source_json(one, {.details = 1});
  EXPECT_EQ(json.at("changed"), 0);
  EXPECT_EQ(json.at("last_error"), "why");
  EXPECT_EQ(json.at("error_ago"), 3);
  EXPECT_EQ(json.at("refusals").dump(), "[]");
}

}  // namespace
}  // namespace vtep
