#include "cli/remote_print.h"

#include <gtest/gtest.h>

namespace vtep {
namespace {

TEST(RemoteText, WhatIsKnown) {
  v1::Remote remote;
  remote.set_address("10.0.0.2");
  remote.set_entries(3);
  EXPECT_EQ(remote_text(remote), "10.0.0.2 entries 3\n");
  EXPECT_EQ(remote_json(remote).dump(), R"({"address":"10.0.0.2","entries":3})");
  remote.set_mtu(1400);
  EXPECT_EQ(path_text(remote), "10.0.0.2 path mtu 1400");
  remote.set_mtu_expires(512);
  remote.set_udp_csum(false);
  EXPECT_EQ(remote_text(remote), "10.0.0.2 path mtu 1400 expires 512sec noudpcsum entries 3\n");
  EXPECT_EQ(remote_json(remote).dump(),
            R"({"address":"10.0.0.2","path_mtu":1400,"expires":512,"udp_csum":false,"entries":3})");
  remote.set_udp_csum(true);
  EXPECT_EQ(path_text(remote), "10.0.0.2 path mtu 1400 expires 512sec udpcsum");
}

}  // namespace
}  // namespace vtep
