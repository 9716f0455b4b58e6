// Theory of operation: a line that changes the forwarding table is only written to the open stream; the
// daemon's verdict comes when the stream is closed, which happens in front of any other command, and at the
// end. So the number of the line must be remembered for each change of the stream, to name the one that was
// refused.
#include "cli/batch.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/batch_line.h"
#include "cli/commands.h"
#include "cli/fdb_grammar.h"
#include "cli/fdb_writer.h"

namespace vtep {

namespace {

class Batch {
 public:
  Batch(std::istream& input, const std::string& name, Session& session)
      : input_(input), name_(name), session_(session) {}

  int run() {
    std::string line;
    while (may_go_on() && read_line(line)) {
      const Parsed<std::vector<std::string_view>> words = split_line(line);
      if (!words) {
        complain(words.error());
      } else if (!words->empty()) {
        run_line(Words(*words));
      }
    }
    close_stream();
    session_.place.clear();
    return exit_code_;
  }

 private:
  // A backslash at the end of a line joins the next one to it.
  bool read_line(std::string& line) {
    line.clear();
    std::string part;
    while (std::getline(input_, part)) {
      ++line_;
      line += part;
      if (!line.ends_with('\\')) return true;
      line.pop_back();
    }
    return !line.empty();
  }

  void run_line(Words words) {
    Words probe = words;
    if (probe.take_abbreviation("fdb")) {
      if (const auto operation = take_fdb_operation(probe)) return change(*operation, probe);
    }
    close_stream();
    if (!may_go_on()) return;
    at_line(line_);
    note(run_command(words, session_));
  }

  void complain(const NotParsed& reason) {
    close_stream();  // what was wrong in front of this line is told first
    if (!may_go_on()) return;
    at_line(line_);
    note(session_.explain(reason));
  }

  void change(v1::FdbChange::Operation operation, Words& words) {
    Parsed<v1::FdbChange> change = parse_fdb_change(operation, words);
    if (!change) return complain(change.error());
    if (!stream_) {
      if (const Result<void> connected = session_.client.connect(); !connected) {
        at_line(line_);
        has_daemon_ = false;
        return note(session_.explain(connected.error()));
      }
      stream_.emplace(session_.client);
    }
    change->set_force(session_.options.force);
    stream_lines_.push_back(line_);
    // A person who types into the batch wants each line to be sent; a file does not care.
    const bool more = input_.rdbuf()->in_avail() > 0;
    if (!stream_->write(*change, more)) close_stream();
  }

  void close_stream() {
    if (!stream_) return;
    const Result<v1::ChangeFdbResponse> response = stream_->finish();
    if (!response) {
      at_change(stream_->refused());
      note(session_.explain(response.error()));
    } else if (response->refused() != 0) {
      at_change(response->first_refused());
      const std::string others =
          response->refused() > 1 ? fmt::format(" ({} more were refused)", response->refused() - 1) : "";
      note(session_.explain(Error{ErrorKind::kSystem, response->first_refusal() + others}));
    }
    stream_.reset();
    stream_lines_.clear();
  }

  void at_line(std::uint64_t line) { session_.place = fmt::format("{}:{}: ", name_, line); }
  // The line of the change with this number, from 1; all lines of the stream if the daemon did not say which.
  void at_change(std::optional<std::uint64_t> number) {
    const std::uint64_t first = stream_lines_.front();
    const std::uint64_t last = stream_lines_.back();
    if (number && *number >= 1 && *number <= stream_lines_.size()) return at_line(stream_lines_[*number - 1]);
    if (first == last) return at_line(first);
    session_.place = fmt::format("{}:{}-{}: ", name_, first, last);
  }

  void note(int exit_code) {
    if (exit_code_ == kExitOk) exit_code_ = exit_code;
  }
  bool may_go_on() const {
    return has_daemon_ && session_.console.out.ok() && (exit_code_ == kExitOk || session_.options.force);
  }

  std::istream& input_;
  const std::string& name_;
  Session& session_;
  std::uint64_t line_ = 0;
  int exit_code_ = kExitOk;
  bool has_daemon_ = true;  // without one not even -force goes on
  std::optional<FdbWriter> stream_;
  std::vector<std::uint64_t> stream_lines_;  // of the changes in stream_, in their order
};

}  // namespace

int run_batch(std::istream& input, const std::string& name, Session& session) {
  return Batch(input, name, session).run();
}

}  // namespace vtep
