#include "engine/path.h"

#include <gtest/gtest.h>

#include "engine/remote.h"
#include "engine/test_frames.h"

namespace vtep {
namespace {

const IpAddr kRemote = Ipv4(192, 0, 2, 1);
const IpAddr kRemote6 = test::ip("2001:db8::1");

TEST(PathTable, LearnsOnlyOfWhomItKnows) {
  Epochs epochs;
  PathTable paths(epochs);
  EXPECT_FALSE(paths.learn_mtu(kRemote, 1400, 10));
  paths.acquire(kRemote);
  EXPECT_TRUE(paths.learn_mtu(kRemote, 1400, 10));
  EXPECT_EQ(paths.find(kRemote)->mtu, 1400U);
}

TEST(PathTable, WhatIsLearnedOnlyLowers) {
  Epochs epochs;
  PathTable paths(epochs);
  paths.acquire(kRemote);
  EXPECT_TRUE(paths.learn_mtu(kRemote, 1400, 10));
  EXPECT_FALSE(paths.learn_mtu(kRemote, 1450, 11));
  EXPECT_EQ(paths.find(kRemote)->mtu, 1400U);
  EXPECT_TRUE(paths.learn_mtu(kRemote, 1300, 12));
  EXPECT_EQ(paths.find(kRemote)->mtu, 1300U);
}

TEST(PathTable, AForgedReportCannotGoBelowWhatTheProtocolsPromise) {
  Epochs epochs;
  PathTable paths(epochs);
  paths.acquire(kRemote);
  paths.acquire(kRemote6);
  paths.learn_mtu(kRemote, 68, 10);
  paths.learn_mtu(kRemote6, 68, 10);
  EXPECT_EQ(paths.find(kRemote)->mtu, PathTable::kMinMtu4);
  EXPECT_EQ(paths.find(kRemote6)->mtu, PathTable::kMinMtu6);
}

TEST(PathTable, ForgetsAfterTenMinutesUnlessToldAgain) {
  Epochs epochs;
  PathTable paths(epochs);
  paths.acquire(kRemote);
  paths.learn_mtu(kRemote, 1400, 10);
  paths.learn_mtu(kRemote, 1400, 300);
  EXPECT_EQ(paths.next_deadline(), 610U);
  paths.age(610);
  EXPECT_EQ(paths.find(kRemote)->mtu, 1400U) << "it was told again";
  paths.age(900);
  EXPECT_EQ(paths.find(kRemote)->mtu, 0U);
  EXPECT_FALSE(paths.next_deadline());
}

TEST(PathTable, AHandStaysAndOutlivesItsReferences) {
  Epochs epochs;
  PathTable paths(epochs);
  paths.set_mtu(kRemote, 1400);
  paths.set_checksum(kRemote, false);
  EXPECT_FALSE(paths.learn_mtu(kRemote, 1300, 10));
  paths.forget_learned();
  EXPECT_EQ(paths.find(kRemote)->mtu, 1400U);
  paths.release(paths.acquire(kRemote));
  ASSERT_NE(paths.find(kRemote), nullptr);
  paths.set_mtu(kRemote, 0);
  ASSERT_NE(paths.find(kRemote), nullptr) << "the checksum is still by hand";
  paths.set_checksum(kRemote, std::nullopt);
  EXPECT_EQ(paths.find(kRemote), nullptr);
}

TEST(PathTable, IsSharedByTheRemotesOfOneAddress) {
  RemoteTable remotes;
  const RemoteId plain = remotes.acquire({.address = kRemote, .port = {}, .vni = {}, .via = {}});
  const RemoteId other = remotes.acquire({.address = kRemote, .port = Port(5000), .vni = {}, .via = {}});
  remotes.paths().learn_mtu(kRemote, 1400, 10);
  EXPECT_EQ(remotes.path(plain).mtu, 1400U);
  EXPECT_EQ(remotes.path(other).mtu, 1400U);
  remotes.release(plain);
  EXPECT_EQ(remotes.path(other).mtu, 1400U);
  remotes.release(other);
  EXPECT_EQ(remotes.paths().find(kRemote), nullptr);
}

}  // namespace
}  // namespace vtep
