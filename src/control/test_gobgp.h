// For tests only: a real gobgpd on loopback, which lasts as long as the object.
#pragma once

#include <memory>
#include <string>

#include "control/gobgp_process.h"
#include "control/test_etcd.h"
#include "io/loop.h"

namespace vtep {

class TestGobgp {
 public:
  explicit TestGobgp(Loop& loop)
      : process_(std::make_unique<GobgpProcess>(loop, directory_.file("api"), [](const Error&) {})) {}

  std::string address() const { return process_->address(); }
  int pid() const { return process_->pid(); }

 private:
  const TestDirectory directory_;
  const std::unique_ptr<GobgpProcess> process_;
};

}  // namespace vtep
