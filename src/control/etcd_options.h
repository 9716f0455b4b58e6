// Where an etcd cluster is and how to be let in.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace vtep {

struct EtcdOptions {
  /// "http://10.0.0.1:2379", "https://etcd.example.org:2379", "[fd00::1]:2379": members of one cluster, the
  /// preferred one first. Without a scheme it is https if one of the files below is given, else http.
  std::vector<std::string> endpoints = {};

  /// Empty: no authentication.
  std::string user = {};
  std::string password = {};

  /// PEM, for https. Who may have signed the server's certificate; empty: whom the system trusts.
  std::string ca_file = {};
  /// The client's own certificate and its key: both or neither.
  std::string cert_file = {};
  std::string key_file = {};

  /// How long one endpoint may take for one call, and to begin a watch.
  Duration timeout = std::chrono::seconds(5);
  /// After how long a silent connection with something under way is given up. No less than ten seconds,
  /// unless etcd runs with a lower --grpc-keepalive-min-time than its default of five: it disconnects who
  /// pings more often.
  Duration silence = std::chrono::seconds(10);
};

}  // namespace vtep
