#include "engine/coalesce.h"

#include <gtest/gtest.h>

#include "engine/test_flow_frames.h"

namespace vtep {
namespace {

using test::Bytes;
using test::FlowFrame;

TEST(Coalescer, Exists) {
  Coalescer coalescer;
  EXPECT_EQ(coalescer.merge({}, {}, {}), 0U);
}

}  // namespace
}  // namespace vtep
