// Who is let in: passwords, tokens that expire, certificates.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "control/test_etcd.h"
#include "control/test_loop.h"

namespace vtep {
namespace {

using testing::HasSubstr;

using EtcdLoginTest = EtcdTest;

void require_password(const TestEtcd& etcd) {
  etcd.post("/v3/auth/role/add", R"({"name":"root"})");
  etcd.post("/v3/auth/user/add", R"({"name":"root","password":"right"})");
  etcd.post("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
  etcd.post("/v3/auth/enable", "{}");
}

TEST_F(EtcdLoginTest, APasswordLetsIn) {
  TestEtcd etcd;
  etcd.start();
  const EtcdOptions right = {.endpoints = {etcd.endpoint()}, .user = "root", .password = "right"};
  const auto client = make_client(right);
  EXPECT_EQ(why(put(*client, "/a", "before anybody asked for a password")), "");

  require_password(etcd);
  EXPECT_EQ(why(put(*client, "/a", "1")), "");
  int events = 0;
  const auto watch =
      client->watch("/a", 0,
                    {.on_events = [&](auto, auto batch) { events += static_cast<int>(batch.size()); },
                     .on_connected = [&] { client->put("/a", "2", 0, [](const auto&) {}); }});
  EXPECT_TRUE(run_until([&] { return events == 1; }));

  const auto wrong = make_client({.endpoints = {etcd.endpoint()}, .user = "root", .password = "wrong"});
  const auto nobody = make_client_of(etcd.endpoint());
  for (EtcdClient* refused : {wrong.get(), nobody.get()}) {
    const auto listing = list(*refused, "/a");
    ASSERT_FALSE(listing);
    EXPECT_EQ(listing.error().kind, ErrorKind::kPermission) << listing.error().message;
    EXPECT_THAT(listing.error().message, HasSubstr(etcd.endpoint()));
    EXPECT_EQ(listing.error().message.find("wrong"), std::string::npos);
    std::optional<EtcdWatchEnd> end;
    const auto watch_in_vain =
        refused->watch("/a", 1, {.on_end = [&](const EtcdWatchEnd& reason) { end = reason; }});
    ASSERT_TRUE(run_until([&] { return end.has_value(); }));
    EXPECT_EQ(end->error.kind, ErrorKind::kPermission) << end->error.message;
  }

  // A restarted etcd knows no token of before.
  etcd.stop();
  etcd.start();
  EXPECT_TRUE(run_until([&] { return events == 2; })) << "the watch comes back with a new token";
  EXPECT_EQ(why(put(*client, "/a", "3")), "");
}

/// A certificate authority in a directory of its own, with a certificate for 127.0.0.1 and one for a client.
class Certificates {
 public:
  Certificates() {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca -keyout "
        "ca.key -out "
        "ca.pem");
    std::ofstream(file("extensions")) << "subjectAltName=IP:127.0.0.1\n";
    for (const char* name : {"server", "client"}) {
      run(fmt::format(
          "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={0} -keyout {0}.key -out "
          "{0}.csr",
          name));
      run(fmt::format(
          "x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out "
          "{0}.pem",
          name));
    }
  }
  std::string file(const std::string& name) const { return directory_.file(name); }

 private:
  void run(const std::string& words) const {
    const std::string command = fmt::format("cd {} && openssl {} >>log 2>&1", directory_.file(""), words);
    if (std::system(command.c_str()) != 0) {
      throw std::runtime_error("the program openssl is missing or fails (scripts/install-deps test): " +
                               command);
    }
  }
  TestDirectory directory_;
};

TEST_F(EtcdLoginTest, CertificatesLetIn) {
  const Certificates ours;
  const Certificates theirs;
  TestEtcd etcd({"--cert-file", ours.file("server.pem"), "--key-file", ours.file("server.key"),
                 "--trusted-ca-file", ours.file("ca.pem"), "--client-cert-auth"},
                "https");
  etcd.start();
  const auto try_with = [&](const Certificates& ca, const Certificates* own) {
    EtcdOptions options = {.endpoints = {etcd.endpoint()}, .ca_file = ca.file("ca.pem")};
    if (own != nullptr) {
      options.cert_file = own->file("client.pem");
      options.key_file = own->file("client.key");
    }
    const auto client = make_client(options);
    return put(*client, "/tls", "");
  };
  EXPECT_EQ(why(try_with(ours, &ours)), "");
  for (const auto& refused : {try_with(theirs, &ours), try_with(ours, &theirs), try_with(ours, nullptr)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable) << refused.error().message;
    EXPECT_THAT(refused.error().message, HasSubstr(etcd.endpoint()));
  }
  // Without TLS.
  const auto plain = make_client_of("http" + etcd.endpoint().substr(5));
  EXPECT_EQ(put(*plain, "/tls", "").error().kind, ErrorKind::kUnavailable);
}

TEST_F(EtcdLoginTest, CertificatesThatCannotBeReadAreNamed) {
  const Certificates files;
  const auto refusal = [&](EtcdOptions options) {
    options.endpoints = {"127.0.0.1:1"};
    const auto client = EtcdClient::create(loop(), options);
    return client ? std::string() : client.error().message;
  };
  EXPECT_EQ(refusal({.ca_file = files.file("ca.pem")}), "");
  EXPECT_THAT(refusal({.ca_file = files.file("none")}), HasSubstr(files.file("none")));
  EXPECT_THAT(refusal({.ca_file = files.file("extensions")}), HasSubstr(files.file("extensions")));
  EXPECT_THAT(refusal({.ca_file = files.file("")}), HasSubstr(files.file("")));
  EXPECT_THAT(refusal({.cert_file = files.file("client.pem")}), HasSubstr("key"));
  EXPECT_THAT(refusal({.cert_file = files.file("client.pem"), .key_file = files.file("none")}),
              HasSubstr(files.file("none")));
  const auto mixed =
      EtcdClient::create(loop(), {.endpoints = {"http://127.0.0.1:1"}, .ca_file = files.file("ca.pem")});
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("http://127.0.0.1:1"));
}

}  // namespace
}  // namespace vtep
