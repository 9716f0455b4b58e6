#include "io/pcap_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "io/memory_frame_port.h"
#include "io/memory_wire.h"
#include "io/outer_frame.h"

namespace vtep {
namespace {

using Bytes = std::vector<std::uint8_t>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::chrono::system_clock::time_point fixed_clock() {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(1718695080613299));
}

/// An ARP request for 192.168.5.12 from the write-up's first capture: 42 bytes.
const Bytes kArp = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x4a, 0xbd, 0x99, 0x0c, 0x09, 0xb2, 0x08, 0x06,
                    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x4a, 0xbd, 0x99, 0x0c, 0x09, 0xb2,
                    0xc0, 0xa8, 0x05, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xa8, 0x05, 0x0c};
/// I flag and VNI 6000.
constexpr std::array<std::uint8_t, Datagram::kHeaderSize> kVxlan = {8, 0, 0, 0, 0x00, 0x17, 0x70, 0};

class PcapPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const int fd = ::mkstemp(path_.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    file_ = PcapFile::create(path_, fixed_clock).value();
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  std::vector<Bytes> captured() {
    EXPECT_TRUE(file_->flush());
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    pcap_t* capture = ::pcap_open_offline(path_.c_str(), error.data());
    EXPECT_NE(capture, nullptr) << error.data();
    std::vector<Bytes> frames;
    if (capture == nullptr) return frames;
    EXPECT_EQ(::pcap_datalink(capture), DLT_EN10MB);
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    while (::pcap_next_ex(capture, &header, &data) == 1) {
      EXPECT_EQ(header->ts.tv_sec, 1718695080);
      EXPECT_EQ(header->ts.tv_usec, 613299);
      EXPECT_EQ(header->len, header->caplen);
      frames.emplace_back(data, data + header->caplen);
    }
    ::pcap_close(capture);
    return frames;
  }
  /// What tcpdump makes of the file.
  std::string decoded() {
    EXPECT_TRUE(file_->flush());
    std::string text;
    FILE* pipe = ::popen(("tcpdump -r " + path_ + " -e -n -t -vv 2>/dev/null").c_str(), "r");
    if (pipe == nullptr) return text;
    std::array<char, 1024> chunk{};
    while (std::fgets(chunk.data(), chunk.size(), pipe) != nullptr) text += chunk.data();
    EXPECT_EQ(::pclose(pipe), 0);
    return text;
  }
  static Datagram datagram(const IpAddr& remote) {
    Datagram datagram{.header = kVxlan, .frame = kArp, .route = {}};
    datagram.route.remote = remote;
    datagram.route.destination_port = kIanaVxlanPort;
    datagram.route.source_port = Port(40103);
    return datagram;
  }

  std::string path_ = "/tmp/vtep-pcap-test-XXXXXX";
  std::shared_ptr<PcapFile> file_;
};

TEST_F(PcapPortTest, WritesTheFramesOfBothDirections) {
  auto memory = std::make_unique<MemoryFramePort>();
  MemoryFramePort& other_side = *memory;
  PcapFramePort port(std::move(memory), file_);
  const Bytes in(60, 1);
  other_side.inject(in);
  PacketBatch batch(4);
  batch.next().set_size(5);
  batch.commit();  // not ours: it lay in the batch before
  ASSERT_EQ(port.read(batch), 1U);
  Packet& out = batch.packets()[1];
  out.data()[0] = 2;
  EXPECT_EQ(port.write({&out, 1}).written, 1U);

  Bytes changed = in;
  changed[0] = 2;
  EXPECT_THAT(captured(), ElementsAre(in, changed));
}

TEST_F(PcapPortTest, TcpdumpDecodesTheVxlanOfBothDirections) {
  MemoryWire wire;
  const IpAddr group = Ipv4(239, 1, 1, 1);
  const IpAddr here = Ipv4(10, 138, 36, 66);
  auto memory = std::make_unique<MemoryUnderlay>(wire, here, kIanaVxlanPort);
  MemoryUnderlay there(wire, Ipv4(10, 138, 36, 58), kIanaVxlanPort);
  PcapUnderlaySender sender(std::move(memory), file_, here);
  const Datagram to_group = datagram(group);
  std::vector<FailedSend> failures;
  sender.send({&to_group, 1}, failures);
  ASSERT_THAT(failures, IsEmpty());
  EXPECT_THAT(decoded(),
              HasSubstr("10.138.36.66.40103 > 239.1.1.1.4789: [no cksum] VXLAN, flags [I] (0x08), vni 6000"));
  EXPECT_THAT(decoded(), HasSubstr("> 01:00:5e:01:01:01, ethertype IPv4 (0x0800), length 92:"));
  EXPECT_THAT(decoded(), HasSubstr("Request who-has 192.168.5.12 tell 192.168.5.10, length 28"));
  EXPECT_THAT(decoded(), ::testing::Not(HasSubstr("bad cksum")));
  EXPECT_THAT(decoded(), HasSubstr("ttl 1,"));
}

TEST_F(PcapPortTest, WritesTheRoutesTosDfAndFlowLabel) {
  MemoryWire wire;
  for (const bool v4 : {true, false}) {
    const IpAddr here = *IpAddr::parse(v4 ? "10.0.0.1" : "fd00::1");
    const IpAddr there = *IpAddr::parse(v4 ? "10.0.0.2" : "fd00::2");
    const MemoryUnderlay peer(wire, there, kIanaVxlanPort);
    PcapUnderlaySender sender(std::make_unique<MemoryUnderlay>(wire, here, kIanaVxlanPort), file_, here);
    Datagram one = datagram(there);
    one.route.tos = 0xb9;
    one.route.dont_fragment = true;
    one.route.flow_label = 0x12345;
    std::vector<FailedSend> failures;
    sender.send({&one, 1}, failures);
    ASSERT_THAT(failures, IsEmpty());
  }
  EXPECT_THAT(decoded(), HasSubstr("(tos 0xb9,ECT(1), ttl 64, id 0, offset 0, flags [DF]"));
  EXPECT_THAT(decoded(), HasSubstr("(class 0xb9, flowlabel 0x12345, hlim 64"));
  EXPECT_THAT(decoded(), ::testing::Not(HasSubstr("bad cksum")));
}

TEST_F(PcapPortTest, TcpdumpDecodesWhatWasReceived) {
  for (const bool v4 : {true, false}) {
    MemoryWire wire;
    const IpAddr here = *IpAddr::parse(v4 ? "10.138.36.66" : "fd00::66");
    const IpAddr there = *IpAddr::parse(v4 ? "10.138.36.58" : "fd00::58");
    PcapUnderlayReceiver receiver(std::make_unique<MemoryUnderlay>(wire, here, kIanaVxlanPort), file_, here,
                                  kIanaVxlanPort);
    MemoryUnderlay peer(wire, there, kIanaVxlanPort);
    const Datagram one = datagram(here);
    std::vector<FailedSend> failures;
    peer.send({&one, 1}, failures);
    PacketBatch batch(1);
    ASSERT_EQ(receiver.receive(batch), 1U);
    EXPECT_THAT(decoded(), HasSubstr(there.to_string() + ".40103 > " + here.to_string() + ".4789: "));
  }
  EXPECT_THAT(captured(), SizeIs(2));
  const std::string text = decoded();
  EXPECT_NE(text.find("vni 6000"), text.rfind("vni 6000")) << "both of them";
}

TEST_F(PcapPortTest, WritesOnlyWhatWasSent) {
  MemoryWire wire(200);
  MemoryUnderlay there(wire, Ipv4(10, 0, 0, 2), kIanaVxlanPort);
  PcapUnderlaySender sender(std::make_unique<MemoryUnderlay>(wire, Ipv4(10, 0, 0, 1), kIanaVxlanPort), file_,
                            Ipv4(10, 0, 0, 1));
  const Bytes large(500);
  Datagram batch[] = {datagram(Ipv4(10, 0, 0, 2)), datagram(Ipv4(10, 0, 0, 2)), datagram(Ipv4(10, 0, 0, 2))};
  batch[1].frame = large;
  std::vector<FailedSend> failures = {{2, SendFailure::kRefused}};  // of an earlier batch
  sender.send(batch, failures);
  EXPECT_EQ(failures.size(), 2U);
  EXPECT_THAT(captured(), SizeIs(2));
}

TEST_F(PcapPortTest, KeepsToTheFamilyOfTheDatagram) {
  // A local address of the other family says nothing about this datagram.
  const auto frame = make_outer_frame({.source = Ipv4(),
                                       .destination = Ipv4(10, 0, 0, 1),
                                       .source_port = Port(1),
                                       .destination_port = Port(2)},
                                      {});
  EXPECT_EQ(frame.size(), 42U);
  MemoryWire wire;
  PcapUnderlayReceiver receiver(std::make_unique<MemoryUnderlay>(wire, Ipv4(10, 0, 0, 1), kIanaVxlanPort),
                                file_, *Ipv6::parse("fd00::1"), kIanaVxlanPort);
  MemoryUnderlay peer(wire, Ipv4(10, 0, 0, 2), kIanaVxlanPort);
  const Datagram one = datagram(Ipv4(10, 0, 0, 1));
  std::vector<FailedSend> failures;
  peer.send({&one, 1}, failures);
  PacketBatch batch(1);
  ASSERT_EQ(receiver.receive(batch), 1U);
  EXPECT_THAT(decoded(), HasSubstr("10.0.0.2.40103 > 0.0.0.0.4789"));
}

TEST(PcapFile, SaysWhatItCannotCreateOrWrite) {
  const auto missing = PcapFile::create("/nonexistent/file.pcap");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/file.pcap"));

  auto full = PcapFile::create("/dev/full");
  ASSERT_TRUE(full);
  (*full)->write(kArp);
  const auto flushed = (*full)->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, ErrorKind::kSystem);
}

}  // namespace
}  // namespace vtep
