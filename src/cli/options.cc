#include "cli/options.h"

#include <fmt/format.h>

#include "cli/usage.h"

namespace vtep {

namespace {

// The order decides what a shortened option means: -b is -batch, -s is -statistics.
void read_option(Words& words, std::string_view option, Options& options) {
  constexpr std::string_view kSocketIs = "socket=";
  if (abbreviates(option, "stats") || abbreviates(option, "statistics")) {
    ++options.format.statistics;
  } else if (abbreviates(option, "details")) {
    ++options.format.details;
  } else if (abbreviates(option, "json")) {
    options.format.json = true;
  } else if (abbreviates(option, "pretty")) {
    options.format.pretty = true;
  } else if (abbreviates(option, "batch")) {
    options.batch = words.value_of("-batch");
  } else if (abbreviates(option, "brief")) {
    options.format.brief = true;
  } else if (abbreviates(option, "force")) {
    options.force = true;
  } else if (abbreviates(option, "Version") || option == "version") {
    options.version = true;
  } else if (abbreviates(option, "help")) {
    words.help(kUsage);
  } else if (option.starts_with(kSocketIs)) {
    options.socket = option.substr(kSocketIs.size());
  } else if (option == "socket") {
    options.socket = words.value_of("--socket");
  } else {
    words.fail(fmt::format("there is no option '-{}': see 'vtep help'", option));
  }
}

}  // namespace

Parsed<Options> parse_options(Words& words, const std::string& socket) {
  Options options;
  if (!socket.empty()) options.socket = socket;
  while (words.peek().starts_with('-')) {
    std::string_view option = words.take().substr(1);
    if (option == "-") break;
    if (option.starts_with('-')) option.remove_prefix(1);
    read_option(words, option, options);
  }
  if (options.socket.empty()) words.fail("'--socket' needs the path of a unix socket");
  return words.parsed(std::move(options));
}

}  // namespace vtep
