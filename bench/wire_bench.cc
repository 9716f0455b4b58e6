// What the codecs cost per byte and per frame. `bytes_per_second` and `items_per_second` are what to read.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/test_frames.h"
#include "wire/checksum.h"
#include "wire/layers.h"
#include "wire/print.h"

namespace vtep {
namespace {

using test::Bytes;
using test::TestFrame;

void checksum(benchmark::State& state) {
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    benchmark::DoNotOptimize(bytes.data());
    benchmark::DoNotOptimize(checksum_partial(bytes));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(64)->Arg(1500)->Arg(65535);

void classify_frame(benchmark::State& state, const TestFrame& shape) {
  const Bytes frame = shape.build();
  for (auto _ : state) {
    benchmark::DoNotOptimize(frame.data());
    benchmark::DoNotOptimize(classify(frame));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(classify_frame, ipv4_udp, TestFrame{});
BENCHMARK_CAPTURE(classify_frame, ipv4_tcp_options, TestFrame{.protocol = kProtocolTcp, .tcp_options = 12});
BENCHMARK_CAPTURE(classify_frame, ipv6_udp,
                  TestFrame{.from = test::ip("fd00::1"), .to = test::ip("fd00::2")});
BENCHMARK_CAPTURE(classify_frame, two_vlan_tags, TestFrame{.tags = {0x88a8, 0x8100}});

/// A TCP segment inside VXLAN, as a capture on the underlay shows it: two lines of text.
Bytes tunnelled_frame() {
  const Bytes inner = TestFrame{.protocol = kProtocolTcp, .payload = 1000, .tcp_options = 12}.build();
  const TestFrame shape{.destination_port = kIanaVxlanPort,
                        .payload = VxlanHeader::kSize + inner.size(),
                        .sum = test::Sum::kNone};
  Bytes outer = shape.build();
  const ByteSpan payload = ByteSpan(outer).subspan(shape.end() - shape.payload);
  VxlanHeader{6000_vni}.emit(payload);
  std::ranges::copy(inner, payload.begin() + VxlanHeader::kSize);
  return outer;
}

void print(benchmark::State& state, const Bytes& frame) {
  for (auto _ : state) benchmark::DoNotOptimize(print_frame(frame));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(print, udp, TestFrame{}.build());
BENCHMARK_CAPTURE(print, tcp_in_vxlan, tunnelled_frame());

}  // namespace
}  // namespace vtep
