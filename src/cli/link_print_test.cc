// Holds vtep's output against what `ip` printed for the kernel's vxlan driver (testdata/capture).
#include "cli/link_print.h"

#include <gmock/gmock.h>
#include <linux/if.h>

#include "cli/captured_output.h"
#include "cli/transcript.h"

namespace vtep {
namespace {

std::string print(const std::vector<v1::Link>& links, const Format& format) {
  if (!format.json) {
    std::string text;
    for (const v1::Link& link : links) text += link_text(link, format, LinkForm::kShow);
    return text;
  }
  CapturedOutput captured;
  JsonList list(captured.output(), format.pretty);
  for (const v1::Link& link : links) list.add(link_json(link, format));
  list.end();
  return captured.text();
}

// iproute2 6.1 forgets the blank between these two words; the next version does not.
std::string with_blank(std::string output) {
  constexpr std::string_view kGlued = "vnifilterid";
  const std::size_t at = output.find(kGlued);
  return at == std::string::npos ? output : output.replace(at, kGlued.size(), "vnifilter id");
}

class LinkTranscript : public testing::TestWithParam<std::string> {};

TEST_P(LinkTranscript, PrintsTheSame) {
  const std::vector<Exchange> exchanges = read_transcript(GetParam() + ".txt");
  ASSERT_GT(exchanges.size(), 1);
  const std::vector<v1::Link> links = links_of(exchanges.front().output);
  ASSERT_FALSE(links.empty());
  for (const Exchange& exchange : exchanges) {
    EXPECT_EQ(print(links, exchange.format()), with_blank(exchange.output)) << exchange.command;
  }
}

INSTANTIATE_TEST_SUITE_P(Captured, LinkTranscript,
                         testing::Values("link_group", "link_options", "link_bare", "link_group6",
                                         "link_remote6", "link_master", "link_list", "link_every",
                                         "link_label", "link_vnifilter"),
                         [](const auto& test) { return test.param; });

// iproute2's columns when every number is another one; only the widths of "bytes" and "transns" grow.
TEST(LinkText, EveryCounterInItsColumn) {
  v1::Link link;
  v1::NetDeviceStats& stats = *link.mutable_device()->mutable_stats();
  stats.set_rx_bytes(12345678901);
  stats.set_rx_packets(2);
  stats.set_rx_errors(3);
  stats.set_rx_dropped(4);
  stats.set_rx_missed(5);
  stats.set_multicast(6);
  stats.set_rx_length_errors(7);
  stats.set_rx_crc_errors(8);
  stats.set_rx_frame_errors(9);
  stats.set_rx_fifo_errors(10);
  stats.set_rx_over_errors(11);
  stats.set_tx_bytes(12);
  stats.set_tx_packets(13);
  stats.set_tx_errors(14);
  stats.set_tx_dropped(15);
  stats.set_tx_carrier_errors(16);
  stats.set_collisions(17);
  stats.set_tx_aborted_errors(18);
  stats.set_tx_fifo_errors(19);
  stats.set_tx_window_errors(20);
  stats.set_tx_heartbeat_errors(21);
  stats.set_carrier_changes(22222222);
  EXPECT_THAT(link_text(link, {.statistics = 2}, LinkForm::kShow),
              testing::EndsWith("    RX:   bytes packets errors dropped  missed    mcast           \n"
                                "    12345678901       2      3       4       5        6 \n"
                                "    RX errors:   length    crc   frame    fifo  overrun\n"
                                "                      7      8       9      10       11 \n"
                                "    TX:   bytes packets errors dropped carrier  collsns           \n"
                                "             12      13     14      15      16       17 \n"
                                "    TX errors:  aborted   fifo  window heartbt  transns\n"
                                "                     18     19      20      21 22222222 \n"));
}

TEST(LinkText, WithoutInterface) {
  v1::Link link;
  link.set_name("vxlan0");
  link.mutable_spec()->set_address("02:00:00:00:00:01");
  link.set_trouble("underlay device eno1 is missing");
  EXPECT_EQ(link_text(link, {}, LinkForm::kShow),
            "0: vxlan0: <> state NOTPRESENT \n"
            "    link/ether 02:00:00:00:00:01\n"
            "    trouble: underlay device eno1 is missing\n");
  EXPECT_EQ(link_json(link, {}).dump(),
            R"({"ifname":"vxlan0","flags":[],"operstate":"NOTPRESENT","link_type":"ether",)"
            R"("address":"02:00:00:00:00:01","trouble":"underlay device eno1 is missing"})");
}

TEST(LinkText, UpWithoutCarrierAndUnknownBits) {
  v1::Link link;
  link.set_name("v");
  link.mutable_device()->set_flags(IFF_UP | IFF_BROADCAST | 0x80000);
  EXPECT_EQ(link_text(link, {.brief = true}, LinkForm::kShow),
            "v                UNKNOWN         <NO-CARRIER,BROADCAST,UP,80000> \n");
}

TEST(LinkText, OwnCountersWithThreeS) {
  v1::Link link;
  link.mutable_counters()->set_encapsulated_frames(1);
  link.mutable_counters()->set_frozen(2);
  link.mutable_counters()->set_suppressed(3);
  link.mutable_counters()->set_too_big_answers(4);
  link.mutable_counters()->set_reserved_bits(5);
  link.mutable_counters()->set_dropped(8);
  EXPECT_THAT(link_text(link, {.statistics = 3}, LinkForm::kShow),
              testing::EndsWith(
                  "    vtep: encapsulated 1 bytes 0 decapsulated 0 bytes 0 flooded 0 learned 0 moved 0 "
                  "frozen 2 learn_refused 0 suppressed 3 too_big_answers 4 reserved_bits 5 dropped 8\n"));
  const Json counters = link_json(link, {.statistics = 3}).at("vtep");
  EXPECT_EQ(counters.at("frozen"), 2);
  EXPECT_EQ(counters.at("suppressed"), 3);
  EXPECT_EQ(counters.at("too_big_answers"), 4);
  EXPECT_EQ(counters.at("reserved_bits"), 5);
  EXPECT_EQ(counters.at("dropped"), 8);
  EXPECT_FALSE(link_json(link, {.statistics = 2}).contains("vtep"));
}

TEST(LinkText, RemotesWithDetails) {
  v1::Link link;
  link.set_name("v");
  v1::Remote& remote = *link.add_remotes();
  remote.set_address("10.0.0.2");
  remote.set_mtu(1400);
  remote.set_mtu_expires(512);
  EXPECT_THAT(link_text(link, {.details = 1}, LinkForm::kShow),
              testing::EndsWith("\n    remote 10.0.0.2 path mtu 1400 expires 512sec\n"));
  EXPECT_EQ(link_json(link, {.details = 1}).at("remotes").dump(),
            R"([{"address":"10.0.0.2","path_mtu":1400,"expires":512}])");
  EXPECT_THAT(link_text(link, {}, LinkForm::kShow), testing::Not(testing::HasSubstr("remote")));
  EXPECT_FALSE(link_json(link, {}).contains("remotes"));
}

}  // namespace
}  // namespace vtep
