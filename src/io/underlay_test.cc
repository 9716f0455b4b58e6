// The contract of UnderlayReceiver and UnderlaySender, over the in-memory wire and over sockets and a veth
// pair.
#include "io/underlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/fault_port.h"
#include "io/memberships.h"
#include "io/memory_wire.h"
#include "io/pcap_file.h"
#include "io/pcap_port.h"
#include "io/rtnetlink.h"
#include "io/test_namespace.h"
#include "io/udp_receiver.h"
#include "io/udp_sender.h"

namespace vtep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddr ip(const std::string& text) {
  return *IpAddr::parse(text);
}

/// A sender, and a receiver one hop away. The MTU between them is 1500.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual UnderlaySender& sender() = 0;
  virtual UnderlayReceiver& receiver() = 0;
  /// On the receiver's side.
  virtual void join(const IpAddr& group) = 0;
  virtual void leave(const IpAddr& group) = 0;

  IpAddr sender_address;
  IpAddr receiver_address;
  IpAddr group;
  IpAddr nowhere;           ///< no route leads there
  IfIndex device;           ///< on the sender's side
  std::size_t largest = 0;  ///< frame that fits a datagram, behind the header
};

struct Wrap {
  std::function<std::unique_ptr<UnderlaySender>(std::unique_ptr<UnderlaySender>)> sender;
  std::function<std::unique_ptr<UnderlayReceiver>(std::unique_ptr<UnderlayReceiver>)> receiver;
};

class MemoryBench final : public Bench {
 public:
  explicit MemoryBench(const Wrap& wrap) {
    sender_address = ip("10.9.0.1");
    receiver_address = ip("10.9.0.2");
    group = ip("239.1.1.1");
    nowhere = ip("10.99.0.1");
    largest = 1500 - 20 - 8 - Datagram::kHeaderSize;
    sender_ = wrap.sender(std::make_unique<MemoryUnderlay>(wire_, sender_address, kIanaVxlanPort));
    auto receiver = std::make_unique<MemoryUnderlay>(wire_, receiver_address, kIanaVxlanPort);
    memory_ = receiver.get();
    receiver_ = wrap.receiver(std::move(receiver));
  }
  UnderlaySender& sender() override { return *sender_; }
  UnderlayReceiver& receiver() override { return *receiver_; }
  void join(const IpAddr& which) override { memory_->join(which); }
  void leave(const IpAddr& which) override { memory_->leave(which); }

 private:
  MemoryWire wire_;
  std::unique_ptr<UnderlaySender> sender_;
  std::unique_ptr<UnderlayReceiver> receiver_;
  MemoryUnderlay* memory_;
};

class VethBench final : public Bench {
 public:
  explicit VethBench(UdpReceiver::Family family, const SenderOptions& sending = {},
                     const ReceiverOptions& receiving = {})
      : sender_(sending) {
    const bool v4 = family == UdpReceiver::Family::kV4;
    const std::string net = v4 ? "10.9.0." : "fd09::";
    sender_address = ip(net + "1");
    receiver_address = ip(net + "2");
    group = ip(v4 ? "239.1.1.1" : "ff05::1111");
    nowhere = ip(v4 ? "10.99.0.1" : "fd99::1");
    largest = 1500 - (v4 ? 20 : 40) - 8 - Datagram::kHeaderSize;

    sh("ip link add va type veth peer name vb netns " + peer_.path());
    const std::string end = v4 ? "/24 dev " : "/64 nodad dev ";
    sh("ip addr add " + net + "1" + end + "va && ip link set va up");
    device = Rtnetlink::create().value()->find("va").value().index;
    peer_.run([&] {
      sh("ip addr add " + net + "2" + end + "vb && ip link set vb up");
      peer_device_ = Rtnetlink::create().value()->find("vb").value().index;
      receiver_ = UdpReceiver::open(family, kIanaVxlanPort, receiving).value();
      wait_running("vb");
    });
    wait_running("va");
  }
  UnderlaySender& sender() override { return sender_; }
  UnderlayReceiver& receiver() override { return *receiver_; }
  void join(const IpAddr& which) override {
    peer_.run([&] { EXPECT_TRUE(memberships_.join(which, peer_device_)); });
  }
  void leave(const IpAddr& which) override { memberships_.leave(which, peer_device_); }

 private:
  TestNamespace peer_;
  IfIndex peer_device_;
  UdpSender sender_;
  std::unique_ptr<UdpReceiver> receiver_;
  Memberships memberships_;
};

struct Kind {
  const char* name;
  bool needs_namespace;
  std::function<std::unique_ptr<Bench>()> make;
};

struct Received {
  std::string text;  ///< behind the header
  IpAddr source;
  Port source_port;
};

class UnderlayTest : public NamespaceTest, public ::testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    if (GetParam().needs_namespace) NamespaceTest::SetUp();
    if (IsSkipped()) return;
    bench_ = GetParam().make();
    // From here on the neighbour is known: while it is being asked for, the kernel keeps only a few
    // datagrams.
    const std::string hello = "hello";
    ASSERT_THAT(send({datagram(hello)}), IsEmpty());
    ASSERT_EQ(receive(1).size(), 1U);
  }
  void TearDown() override {
    bench_.reset();
    NamespaceTest::TearDown();
  }

  /// `text` must live until the datagram is sent.
  Datagram datagram(const std::string& text, std::uint16_t source_port = 50000) const {
    Datagram datagram{.header = {8, 0, 0, 0, 0, 0, 1, 0}, .frame = {}, .route = {}};
    datagram.frame = ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    datagram.route.remote = bench_->receiver_address;
    datagram.route.destination_port = kIanaVxlanPort;
    datagram.route.source_port = Port(source_port);
    return datagram;
  }
  std::vector<FailedSend> send(const std::vector<Datagram>& batch) {
    std::vector<FailedSend> failures;
    bench_->sender().send(batch, failures);
    return failures;
  }
  /// Everything there is; waits for the first if it has to come by a real wire.
  std::vector<Received> receive(std::size_t count) {
    std::vector<Received> all;
    while (all.size() < count) {
      if (!something_arrives()) break;
      PacketBatch batch(16);
      const auto got = bench_->receiver().receive(batch);
      EXPECT_TRUE(got) << got.error().message;
      if (!got || *got == 0) break;
      for (const Packet& packet : batch.packets()) {
        const ByteView frame = packet.view().subspan(Datagram::kHeaderSize);
        all.push_back({{frame.begin(), frame.end()}, packet.outer_source, packet.outer_source_port});
      }
    }
    return all;
  }
  /// Waits where there is something to wait on.
  bool something_arrives() {
    const int fd = bench_->receiver().fd();
    return fd < 0 || wait_readable(fd);
  }
  bool nothing_arrives() {
    PacketBatch batch(1);
    return bench_->receiver().receive(batch) == 0U;
  }

  std::unique_ptr<Bench> bench_;
};

TEST_P(UnderlayTest, DeliversHeaderAndFrameWithTheirSource) {
  const std::string text = "frame";
  EXPECT_TRUE(nothing_arrives());
  EXPECT_THAT(send({datagram(text, 50001)}), IsEmpty());
  ASSERT_TRUE(something_arrives());
  PacketBatch batch(4);
  ASSERT_EQ(bench_->receiver().receive(batch), 1U);
  const Packet& packet = batch.packets()[0];
  EXPECT_THAT(std::vector(packet.view().begin(), packet.view().end()),
              ElementsAre(8, 0, 0, 0, 0, 0, 1, 0, 'f', 'r', 'a', 'm', 'e'));
  EXPECT_EQ(packet.outer_source, bench_->sender_address);
  EXPECT_EQ(packet.outer_source_port, Port(50001));
}

TEST_P(UnderlayTest, CarriesAllEightBitsOfTheTosForOneDatagramOnly) {
  const std::string text = "x";
  std::vector<Datagram> batch;
  for (const std::uint8_t tos : std::initializer_list<std::uint8_t>{0xb8, 0, 1, 2, 3, 0xff, 0}) {
    batch.push_back(datagram(text));
    batch.back().route.tos = tos;
  }
  EXPECT_THAT(send(batch), IsEmpty());
  std::vector<int> seen;
  while (seen.size() < batch.size() && something_arrives()) {
    PacketBatch some(3);
    if (bench_->receiver().receive(some).value() == 0) break;
    for (const Packet& packet : some.packets()) seen.push_back(packet.outer_tos);
  }
  EXPECT_THAT(seen, ElementsAre(0xb8, 0, 1, 2, 3, 0xff, 0));
}

TEST_P(UnderlayTest, DeliversWithAndWithoutAChecksum) {
  const std::string text = "x";
  std::vector<Datagram> batch(6, datagram(text));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].route.checksum = i % 2 == 0 || batch[i].route.remote.is_v6();
    batch[i].route.dont_fragment = i % 3 == 0;
  }
  EXPECT_THAT(send(batch), IsEmpty());
  EXPECT_EQ(receive(batch.size()).size(), batch.size());
}

TEST_P(UnderlayTest, NobodyHasSpokenAboutThePath) {
  const std::string text = "x";
  EXPECT_THAT(send({datagram(text)}), IsEmpty());
  std::vector<PathReport> reports;
  bench_->sender().take_reports(reports);
  EXPECT_TRUE(reports.empty());
}

TEST_P(UnderlayTest, AppendsUntilTheBatchIsFullAndLeavesTheRest) {
  // Each longer than the one before: nothing that could come together.
  const std::vector<std::string> texts = {"0", "11", "222", "3333", "44444"};
  std::vector<Datagram> batch;
  for (const std::string& text : texts) batch.push_back(datagram(text));
  EXPECT_THAT(send(batch), IsEmpty());
  ASSERT_TRUE(something_arrives());

  PacketBatch two(3);
  two.next().set_size(1);
  two.commit();
  EXPECT_EQ(bench_->receiver().receive(two), 2U);
  EXPECT_EQ(bench_->receiver().receive(two), 0U) << "a full batch takes nothing";
  EXPECT_EQ(two.packets()[1].view().back(), '0');
  const auto rest = receive(3);
  ASSERT_EQ(rest.size(), 3U);
  EXPECT_EQ(rest[0].text, "222");
}

TEST_P(UnderlayTest, KeepsTheOrderOfEveryFlow) {
  constexpr std::size_t kCount = 1000;
  constexpr std::size_t kFlows = 7;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < kCount; ++i) texts.push_back(std::to_string(i));
  std::vector<Datagram> batch;
  for (std::size_t i = 0; i < kCount; ++i) {
    batch.push_back(datagram(texts[i], static_cast<std::uint16_t>(51000 + i * i % kFlows)));
  }
  EXPECT_THAT(send(batch), IsEmpty());
  const auto received = receive(kCount);
  ASSERT_EQ(received.size(), kCount);
  std::map<Port, std::vector<int>> flows;
  for (const Received& one : received) flows[one.source_port].push_back(std::stoi(one.text));
  EXPECT_GT(flows.size(), 1U);
  for (const auto& [port, numbers] : flows) {
    EXPECT_TRUE(std::ranges::is_sorted(numbers)) << port.value();
    for (const int number : numbers) {
      const auto n = static_cast<std::size_t>(number);
      EXPECT_EQ(port.value(), 51000 + n * n % kFlows);
    }
  }
}

TEST_P(UnderlayTest, NeverFragmentsAndStepsOverWhatIsTooBig) {
  const std::string largest(bench_->largest, 'a');
  const std::string too_big(bench_->largest + 1, 'b');
  const auto failures = send({datagram(largest), datagram(too_big), datagram(largest), datagram(too_big)});
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0].index, 1U);
  EXPECT_EQ(failures[0].reason, SendFailure::kTooBig);
  EXPECT_EQ(failures[0].mtu, 1500U);
  EXPECT_EQ(failures[1].index, 3U);
  EXPECT_EQ(failures[1].mtu, 1500U);
  const auto received = receive(2);
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].text, largest);
  EXPECT_TRUE(nothing_arrives());
}

TEST_P(UnderlayTest, DeliversRunsOfOneSizeAndWhatInterruptsThem) {
  // Runs, shorter ends, longer datagrams behind them, other routes in between; more than one message can
  // hold.
  std::vector<std::string> texts;
  std::vector<Datagram> batch;
  const auto add = [&](std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) {
      std::string text = std::to_string(texts.size()) + " ";
      text.resize(size, static_cast<char>('a' + texts.size() % 26));
      texts.push_back(text);
    }
  };
  add(3, 1000);
  add(1, 400);
  add(1, 1000);
  add(2, 400);
  add(130, 20);
  add(60, bench_->largest);
  add(1, 5);
  add(2, 5);
  for (const std::string& text : texts) batch.push_back(datagram(text));
  batch[1].route.tos = 4;
  batch[140].route.tos = 4;
  batch[20].route.dont_fragment = true;
  batch[30].route.checksum = batch[31].route.checksum = batch[30].route.remote.is_v6();
  EXPECT_THAT(send(batch), IsEmpty());
  const auto received = receive(batch.size());
  ASSERT_EQ(received.size(), batch.size());
  for (std::size_t i = 0; i < received.size(); ++i) {
    ASSERT_EQ(received[i].text, texts[i]) << i;
    EXPECT_EQ(received[i].source_port, Port(50000));
  }
}

TEST_P(UnderlayTest, GathersHeaderPrefixAndFrame) {
  const std::string payload(3000, 'p');
  const std::vector<std::string> prefixes = {"first:", "other:", "last::"};
  std::vector<Datagram> batch;
  for (std::size_t i = 0; i < 3; ++i) {
    Datagram one = datagram(payload);
    one.header[6] = static_cast<std::uint8_t>(i);
    one.prefix = ByteView(reinterpret_cast<const std::uint8_t*>(prefixes[i].data()), prefixes[i].size());
    one.frame = one.frame.subspan(i * 1000, i == 2 ? 10 : 1000);
    batch.push_back(one);
  }
  batch.push_back(batch[0]);
  batch.back().frame = {};
  EXPECT_THAT(send(batch), IsEmpty());
  const auto received = receive(4);
  ASSERT_EQ(received.size(), 4U);
  EXPECT_EQ(received[0].text, "first:" + std::string(1000, 'p'));
  EXPECT_EQ(received[1].text, "other:" + std::string(1000, 'p'));
  EXPECT_EQ(received[2].text, "last::" + std::string(10, 'p'));
  EXPECT_EQ(received[3].text, "first:");
}

TEST_P(UnderlayTest, ARunThatIsTooBigFailsOneByOneAndTheRestGoesOn) {
  const std::string too_big(bench_->largest + 1, 'b');
  const std::string fits = "fits";
  std::vector<Datagram> batch(70, datagram(too_big));
  batch.push_back(datagram(fits));  // the short end of a run
  batch.push_back(datagram(too_big));
  batch.push_back(datagram(fits));
  const auto failures = send(batch);
  ASSERT_EQ(failures.size(), 71U);
  for (std::size_t i = 0; i < failures.size(); ++i) {
    EXPECT_EQ(failures[i].index, i < 70 ? i : 71U);
    EXPECT_EQ(failures[i].reason, SendFailure::kTooBig);
    EXPECT_EQ(failures[i].mtu, 1500U);
  }
  EXPECT_EQ(receive(2).size(), 2U);
  EXPECT_TRUE(nothing_arrives());
}

TEST_P(UnderlayTest, ARunThatCannotBeReachedFailsAsAWhole) {
  const std::string text = "x";
  std::vector<Datagram> batch(10, datagram(text));
  for (std::size_t i = 3; i < 7; ++i) batch[i].route.remote = bench_->nowhere;
  const auto failures = send(batch);
  ASSERT_EQ(failures.size(), 4U);
  for (std::size_t i = 0; i < failures.size(); ++i) {
    EXPECT_EQ(failures[i].index, 3 + i);
    EXPECT_EQ(failures[i].reason, SendFailure::kUnreachable);
  }
  EXPECT_EQ(receive(6).size(), 6U);
}

TEST_P(UnderlayTest, RunsReachAGroup) {
  bench_->join(bench_->group);
  const std::string text(100, 'g');
  std::vector<Datagram> batch(20, datagram(text));
  for (Datagram& one : batch) {
    one.route.remote = bench_->group;
    one.route.device = bench_->device;
  }
  EXPECT_THAT(send(batch), IsEmpty());
  EXPECT_EQ(receive(batch.size()).size(), batch.size());
  EXPECT_TRUE(nothing_arrives());
}

TEST_P(UnderlayTest, SaysWhatCannotBeReached) {
  const std::string text = "x";
  Datagram lost = datagram(text);
  lost.route.remote = bench_->nowhere;
  const auto failures = send({lost, datagram(text)});
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].index, 0U);
  EXPECT_EQ(failures[0].reason, SendFailure::kUnreachable);
  EXPECT_EQ(failures[0].mtu, 0U);
  EXPECT_EQ(receive(1).size(), 1U);
}

TEST_P(UnderlayTest, AClosedPortIsNoFailureNowNorLater) {
  const std::string text = "x";
  Datagram closed = datagram(text);
  closed.route.destination_port = Port(9);
  for (int i = 0; i < 5; ++i) EXPECT_THAT(send({closed, datagram(text)}), IsEmpty());
  EXPECT_EQ(receive(5).size(), 5U);
}

TEST_P(UnderlayTest, ReachesAGroupsMembersOnly) {
  const std::string early = "early";
  const std::string text = "to all";
  const std::string late = "late";
  const std::string last = "unicast";
  const auto to_group = [&](const std::string& what) {
    Datagram one = datagram(what);
    one.route.remote = bench_->group;
    one.route.device = bench_->device;
    return one;
  };
  EXPECT_THAT(send({to_group(early)}), IsEmpty()) << "no members is no failure";
  bench_->join(bench_->group);
  EXPECT_THAT(send({to_group(text)}), IsEmpty());
  const auto received = receive(1);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].text, text);
  EXPECT_EQ(received[0].source, bench_->sender_address);

  bench_->leave(bench_->group);
  EXPECT_THAT(send({to_group(late), datagram(last)}), IsEmpty());
  const auto after = receive(1);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].text, last);
}

TEST_P(UnderlayTest, ALocalAddressOfTheOtherFamilyIsRefused) {
  const std::string text = "x";
  Datagram mixed = datagram(text);
  mixed.route.local = bench_->sender_address.is_v4() ? ip("fd00::1") : ip("10.0.0.1");
  ASSERT_EQ(send({mixed, datagram(text)}).size(), 1U);
  EXPECT_EQ(receive(1).size(), 1U);
}

TEST_P(UnderlayTest, SendsAnEmptyFrameAndAnEmptyBatch) {
  EXPECT_THAT(send({}), IsEmpty());
  const std::string nothing;
  EXPECT_THAT(send({datagram(nothing)}), IsEmpty());
  const auto received = receive(1);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].text, "");
}

TEST_P(UnderlayTest, ADatagramTooLargeForItsBufferArrivesEmpty) {
  constexpr std::size_t kRoom = 192;
  const std::string large(kRoom - Datagram::kHeaderSize + 1, 'a');
  const std::string fits(kRoom - Datagram::kHeaderSize, 'b');
  // Apart, since what comes together shares a buffer.
  EXPECT_THAT(send({datagram(large)}), IsEmpty());
  EXPECT_THAT(send({datagram(fits)}), IsEmpty());
  ASSERT_TRUE(something_arrives());
  PacketBatch small(4, kHeadroom + kRoom);
  ASSERT_EQ(bench_->receiver().receive(small), 2U);
  EXPECT_EQ(small.packets()[0].size(), 0U);
  EXPECT_EQ(small.packets()[0].outer_source, bench_->sender_address);
  EXPECT_EQ(small.packets()[1].size(), kRoom);
}

std::unique_ptr<Bench> plain() {
  return std::make_unique<MemoryBench>(
      Wrap{[](auto sender) { return sender; }, [](auto receiver) { return receiver; }});
}

std::unique_ptr<Bench> captured() {
  const auto file = PcapFile::create("/dev/null").value();
  const IpAddr local = ip("10.9.0.1");
  return std::make_unique<MemoryBench>(
      Wrap{[&](auto sender) { return std::make_unique<PcapUnderlaySender>(std::move(sender), file, local); },
           [&](auto receiver) {
             return std::make_unique<PcapUnderlayReceiver>(std::move(receiver), file, local, kIanaVxlanPort);
           }});
}

std::unique_ptr<Bench> faultless() {
  return std::make_unique<MemoryBench>(
      Wrap{[](auto sender) { return std::make_unique<FaultUnderlaySender>(std::move(sender), FaultPlan{}); },
           [](auto receiver) {
             return std::make_unique<FaultUnderlayReceiver>(std::move(receiver), FaultPlan{});
           }});
}

/// As on kernels that do not know how to segment, or how to merge.
std::unique_ptr<Bench> veth(UdpReceiver::Family family, bool send_segments, bool receive_segments) {
  return std::make_unique<VethBench>(family, SenderOptions{.send_segments = send_segments},
                                     ReceiverOptions{.receive_segments = receive_segments});
}

INSTANTIATE_TEST_SUITE_P(
    Underlays, UnderlayTest,
    ::testing::Values(
        Kind{"Memory", false, plain}, Kind{"Pcap", false, captured}, Kind{"Fault", false, faultless},
        Kind{"Veth4", true, [] { return veth(UdpReceiver::Family::kV4, true, true); }},
        Kind{"Veth6", true, [] { return veth(UdpReceiver::Family::kV6, true, true); }},
        Kind{"Veth4OneByOne", true, [] { return veth(UdpReceiver::Family::kV4, false, true); }},
        Kind{"Veth6OneByOne", true, [] { return veth(UdpReceiver::Family::kV6, false, false); }},
        Kind{"Veth4NotMerged", true, [] { return veth(UdpReceiver::Family::kV4, true, false); }}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace vtep
