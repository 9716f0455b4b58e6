// vtep(8).
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/app.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);  // a batch from a pipe then knows whether more has arrived
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const char* const socket = std::getenv("VTEP_SOCKET");
  vtep::Output out(STDOUT_FILENO);
  vtep::Output err(STDERR_FILENO);
  vtep::Console console{std::cin, out, err};
  return vtep::run_vtep(words, socket == nullptr ? std::string() : std::string(socket), console);
}
