// What the programs that play many VTEPs for bench/convergence have in common: how they speak to it.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string>

namespace vtep::load {

inline double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[noreturn]] inline void give_up(const std::string& why) {
  fmt::print(stderr, "load: {}\n", why);
  std::exit(1);
}

/// A line of JSON: what was begun then is done now. `more` stands in front, with its comma.
inline void say_done(double begun, const std::string& more = {}) {
  fmt::print("{{{}\"begun\":{:.6f},\"written\":{:.6f}}}\n", more, begun, seconds_since_epoch());
  std::fflush(stdout);
}

/// The commands that have come to standard input. False: there will be no more.
inline bool read_commands(const std::function<void(const std::string& verb, std::istream& words)>& take) {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (size <= 0) return false;
  std::istringstream words(std::string(buffer.data(), static_cast<std::size_t>(size)));
  std::string verb;
  while (words >> verb) take(verb, words);
  return true;
}

}  // namespace vtep::load
