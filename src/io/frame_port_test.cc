// The contract of FramePort, over the in-memory port, over decorators that have nothing to do, and over a
// TAP.
#include "io/frame_port.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/fault_port.h"
#include "io/memory_frame_port.h"
#include "io/pcap_file.h"
#include "io/pcap_port.h"
#include "io/tap.h"
#include "io/test_namespace.h"

namespace vtep {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// An Ethernet frame of an experimental type, so that no protocol stack answers it.
Bytes frame_of(std::uint8_t number, std::size_t size = 60) {
  Bytes frame(size);
  std::fill_n(frame.begin(), 6, std::uint8_t{0xff});
  frame[6] = 2;
  frame[11] = 1;
  frame[12] = 0x88;
  frame[13] = 0xb5;
  for (std::size_t i = 14; i < size; ++i) frame[i] = number;
  return frame;
}

/// A port and the other side of it.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual FramePort& port() = 0;
  virtual void inject(const Bytes& frame) = 0;
  /// The next `count` frames that were written to the port.
  virtual std::vector<Bytes> collect(std::size_t count) = 0;
  virtual void set_up(bool up) = 0;
  virtual void remove() = 0;
};

using Wrap = std::function<std::unique_ptr<FramePort>(std::unique_ptr<FramePort>)>;

class MemoryBench final : public Bench {
 public:
  explicit MemoryBench(const Wrap& wrap) {
    auto port = std::make_unique<MemoryFramePort>();
    memory_ = port.get();
    port_ = wrap(std::move(port));
  }
  FramePort& port() override { return *port_; }
  void inject(const Bytes& frame) override { EXPECT_TRUE(memory_->inject(frame)); }
  std::vector<Bytes> collect(std::size_t count) override {
    std::vector<Bytes> frames;
    for (MemoryFrame& frame : memory_->collect()) frames.push_back(std::move(frame.bytes));
    EXPECT_EQ(frames.size(), count);
    return frames;
  }
  void set_up(bool up) override { memory_->set_up(up); }
  void remove() override { memory_->remove(); }

 private:
  std::unique_ptr<FramePort> port_;
  MemoryFramePort* memory_;
};

/// The other side is a packet socket on the interface.
class TapBench final : public Bench {
 public:
  TapBench() {
    sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    port_ = std::move(Tap::open("tap0").value()->take_queues().front());
    sh("ip link set tap0 up");
    packets_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x88b5));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(0x88b5);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("tap0"));
    EXPECT_EQ(::bind(packets_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~TapBench() override { ::close(packets_); }
  TapBench(const TapBench&) = delete;
  TapBench& operator=(const TapBench&) = delete;

  FramePort& port() override { return *port_; }
  void inject(const Bytes& frame) override {
    EXPECT_EQ(::send(packets_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  std::vector<Bytes> collect(std::size_t count) override {
    std::vector<Bytes> frames;
    while (frames.size() < count && wait_readable(packets_)) {
      const ssize_t size = ::recv(packets_, received_.data(), received_.size(), 0);
      EXPECT_GE(size, 0);
      frames.emplace_back(received_.begin(), received_.begin() + std::max<ssize_t>(size, 0));
    }
    EXPECT_EQ(frames.size(), count);
    return frames;
  }
  void set_up(bool up) override { sh(up ? "ip link set tap0 up" : "ip link set tap0 down"); }
  void remove() override { sh("ip link del tap0"); }

 private:
  std::unique_ptr<FramePort> port_;
  Bytes received_ = Bytes(70000);
  int packets_ = -1;
};

struct Kind {
  const char* name;
  bool needs_namespace;
  std::function<std::unique_ptr<Bench>()> make;
};

class FramePortTest : public NamespaceTest, public ::testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    if (GetParam().needs_namespace) NamespaceTest::SetUp();
    if (!IsSkipped()) bench_ = GetParam().make();
  }
  void TearDown() override {
    bench_.reset();
    NamespaceTest::TearDown();
  }

  FramePort& port() { return bench_->port(); }
  WriteReport write(const std::vector<Bytes>& frames) {
    PacketBatch batch(frames.size());
    for (const Bytes& frame : frames) {
      Packet& packet = batch.next();
      std::ranges::copy(frame, packet.data());
      packet.set_size(frame.size());
      batch.commit();
    }
    return port().write(batch.packets());
  }

  std::unique_ptr<Bench> bench_;
  PacketBatch batch_{4};
};

Bytes bytes_of(const Packet& packet) {
  return {packet.view().begin(), packet.view().end()};
}

TEST_P(FramePortTest, NothingToReadIsZero) {
  EXPECT_EQ(port().read(batch_), 0U);
  EXPECT_TRUE(batch_.empty());
}

TEST_P(FramePortTest, ReadsFramesInOrderWithHeadroom) {
  for (std::uint8_t i = 0; i < 3; ++i) bench_->inject(frame_of(i, 60U + i));
  ASSERT_EQ(port().read(batch_), 3U);
  for (std::uint8_t i = 0; i < 3; ++i) {
    EXPECT_EQ(bytes_of(batch_.packets()[i]), frame_of(i, 60U + i));
    EXPECT_EQ(batch_.packets()[i].headroom(), kHeadroom);
    EXPECT_EQ(batch_.packets()[i].offload, Offload{});
  }
}

TEST_P(FramePortTest, AppendsUntilTheBatchIsFullAndLeavesTheRest) {
  for (std::uint8_t i = 0; i < 6; ++i) bench_->inject(frame_of(i));
  batch_.next().set_size(1);
  batch_.commit();
  ASSERT_EQ(port().read(batch_), 3U);
  EXPECT_EQ(batch_.size(), 4U);
  EXPECT_EQ(port().read(batch_), 0U) << "a full batch takes nothing";
  EXPECT_EQ(bytes_of(batch_.packets()[1]), frame_of(0));
  batch_.clear();
  ASSERT_EQ(port().read(batch_), 3U);
  EXPECT_EQ(bytes_of(batch_.packets()[0]), frame_of(3));
}

TEST_P(FramePortTest, AFrameTooLargeForItsBufferArrivesEmpty) {
  PacketBatch small(2, kHeadroom + 128);
  bench_->inject(frame_of(1, 128 + 1));
  bench_->inject(frame_of(2, 128));
  ASSERT_EQ(port().read(small), 2U);
  EXPECT_EQ(small.packets()[0].size(), 0U);
  EXPECT_EQ(bytes_of(small.packets()[1]), frame_of(2, 128));
}

TEST_P(FramePortTest, WritesFramesInOrder) {
  const WriteReport report = write({frame_of(1), frame_of(2, 1514), frame_of(3)});
  EXPECT_EQ(report.written, 3U);
  EXPECT_EQ(report.interface_down + report.queue_full + report.refused, 0U);
  EXPECT_EQ(bench_->collect(3), (std::vector<Bytes>{frame_of(1), frame_of(2, 1514), frame_of(3)}));
}

TEST_P(FramePortTest, WritesTheSameFrameTwice) {
  PacketBatch batch(1);
  Packet& packet = batch.next();
  const Bytes frame = frame_of(7);
  std::ranges::copy(frame, packet.data());
  packet.set_size(frame.size());
  batch.commit();
  EXPECT_EQ(port().write(batch.packets()).written, 1U);
  EXPECT_EQ(port().write(batch.packets()).written, 1U);
  EXPECT_EQ(bench_->collect(2), (std::vector<Bytes>{frame, frame}));
}

TEST_P(FramePortTest, WritesAFrameWithoutHeadroomAndChangesNoByte) {
  Bytes buffer = frame_of(1);
  Packet packet(buffer, 0);
  packet.set_size(buffer.size());
  EXPECT_EQ(port().write({&packet, 1}).written, 1U);
  EXPECT_EQ(buffer, frame_of(1));
  EXPECT_EQ(bench_->collect(1), (std::vector<Bytes>{frame_of(1)}));
}

TEST_P(FramePortTest, GathersTheRestOfAFrame) {
  const Bytes whole = frame_of(9, 1000);
  Bytes head(whole.begin(), whole.begin() + 100);
  const ByteView tail = ByteView(whole).subspan(100);
  std::vector<ByteView> rest;
  for (std::size_t at = 0; at < tail.size(); at += 7) {
    rest.push_back(tail.subspan(at, std::min<std::size_t>(7, tail.size() - at)));
    if (at == 70) rest.push_back({});
  }
  const Bytes plain = frame_of(3);
  Bytes copy = plain;
  std::array packets = {Packet(head, 0), Packet(copy, 0), Packet(head, 0)};
  for (Packet& packet : packets) packet.set_size(packet.room());
  packets[0].rest = rest;
  packets[2].rest = rest;
  EXPECT_EQ(port().write(packets).written, 3U);
  EXPECT_EQ(bench_->collect(3), (std::vector<Bytes>{whole, plain, whole}));
}

TEST_P(FramePortTest, RefusesMorePartsThanItsLimit) {
  const Bytes whole = frame_of(9, 60 + FramePort::kMaxRest);
  Bytes head(whole.begin(), whole.begin() + 60);
  std::vector<ByteView> rest;
  for (std::size_t i = 60; i < whole.size(); ++i) rest.push_back(ByteView(whole).subspan(i, 1));
  std::array packets = {Packet(head, 0), Packet(head, 0)};
  for (Packet& packet : packets) packet.set_size(packet.room());
  packets[0].rest = rest;
  rest.push_back(ByteView(whole).first(1));
  packets[0].rest = rest;
  packets[1].rest = std::span(rest).first(FramePort::kMaxRest);
  const WriteReport report = port().write(packets);
  EXPECT_EQ(report.refused, 1U);
  EXPECT_EQ(report.written, 1U);
  EXPECT_EQ(bench_->collect(1), (std::vector<Bytes>{whole}));
}

TEST_P(FramePortTest, AnInterfaceThatIsDownTakesNothing) {
  bench_->set_up(false);
  WriteReport report = write({frame_of(1), frame_of(2)});
  EXPECT_EQ(report.interface_down, 2U);
  EXPECT_EQ(report.written, 0U);
  EXPECT_EQ(port().read(batch_), 0U) << "down is not gone";
  bench_->set_up(true);
  report = write({frame_of(3)});
  EXPECT_EQ(report.written, 1U);
}

TEST_P(FramePortTest, AnInterfaceThatIsGoneSaysSo) {
  bench_->remove();
  const auto got = port().read(batch_);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(write({frame_of(1)}).interface_down, 1U);
}

std::unique_ptr<Bench> memory_bench(const Wrap& wrap) {
  return std::make_unique<MemoryBench>(wrap);
}

INSTANTIATE_TEST_SUITE_P(
    Ports, FramePortTest,
    ::testing::Values(Kind{"Memory", false, [] { return memory_bench([](auto port) { return port; }); }},
                      Kind{"Pcap", false,
                           [] {
                             return memory_bench([](auto port) {
                               return std::make_unique<PcapFramePort>(std::move(port),
                                                                      PcapFile::create("/dev/null").value());
                             });
                           }},
                      Kind{"Fault", false,
                           [] {
                             return memory_bench([](auto port) {
                               return std::make_unique<FaultFramePort>(std::move(port), FaultPlan{});
                             });
                           }},
                      Kind{"Tap", true, [] { return std::make_unique<TapBench>(); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace vtep
