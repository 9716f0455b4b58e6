#include "daemon/journal_line.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace vtep {
namespace {

/// What stands in JSON as it is, also for protobuf: it escapes more than JSON asks for.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.' || c == '-' || c == '_';
  });
}

// --- writing

/// Members in the order of their field numbers, as protobuf writes them; none for a default value.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& text) : text_(text) { text_ += '{'; }

  void begin(std::string_view name) {
    if (text_.back() != '{') text_ += ',';
    text_ += '"';
    text_ += name;
    text_ += "\":";
  }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    text_ += '"';
    text_ += value;
    text_ += '"';
  }
  void number(std::string_view name, std::uint32_t value, bool is_given) {
    if (!is_given) return;
    begin(name);
    char digits[10];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void flag(std::string_view name, bool value) {
    if (!value) return;
    begin(name);
    text_ += "true";
  }
  void end() { text_ += '}'; }

 private:
  std::string& text_;
};

/// Whether append_change() can say all of it.
bool is_usual(const v1::FdbChange& change) {
  const v1::FdbEntry& entry = change.entry();
  return change.has_entry() && is_plain(entry.mac()) && is_plain(entry.dev()) && is_plain(entry.dst()) &&
         is_plain(entry.via()) && entry.used() == 0 && entry.updated() == 0 && !entry.frozen() &&
         v1::FdbState_IsValid(entry.state()) && v1::FdbChange::Operation_IsValid(change.operation());
}

void append_change(const v1::FdbChange& change, std::string& text) {
  ObjectWriter record(text);
  record.begin("fdb");
  ObjectWriter outer(text);
  if (change.operation() != v1::FdbChange::OPERATION_UNSPECIFIED) {
    outer.text("operation", v1::FdbChange::Operation_Name(change.operation()));
  }
  outer.begin("entry");
  const v1::FdbEntry& entry = change.entry();
  ObjectWriter inner(text);
  inner.text("mac", entry.mac());
  inner.text("dev", entry.dev());
  inner.text("dst", entry.dst());
  inner.number("port", entry.port(), entry.port() != 0);
  inner.number("vni", entry.vni(), entry.has_vni());
  inner.text("via", entry.via());
  if (entry.state() != v1::FDB_STATE_UNSPECIFIED) inner.text("state", v1::FdbState_Name(entry.state()));
  inner.number("nhid", entry.nhid(), entry.nhid() != 0);
  inner.flag("router", entry.router());
  inner.number("src_vni", entry.src_vni(), entry.has_src_vni());
  inner.end();
  outer.flag("force", change.force());
  outer.end();
  record.end();
}

// --- reading

/// Reads what append_change() writes and gives up on everything else: then protobuf has the last word.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  bool open() { return first_ = take("{"); }
  bool close() {
    first_ = false;
    return take("}");
  }
  /// The member's name, if it comes next; its value comes then.
  bool begin(std::string_view name) {
    Reader ahead = *this;
    if (!first_ && !ahead.take(",")) return false;
    if (!ahead.take("\"") || !ahead.take(name) || !ahead.take("\":")) return false;
    ahead.first_ = false;
    *this = ahead;
    return true;
  }
  /// A member that may be missing: `read` takes its value and says whether it could.
  template <typename Read>
  bool member(std::string_view name, Read read) {
    return !begin(name) || read();
  }
  template <typename Set>
  bool text(std::string_view name, Set set) {
    return member(name, [&] {
      if (!take("\"")) return false;
      const std::string_view value = rest_.substr(0, rest_.find('"'));
      if (value.size() == rest_.size() || !is_plain(value)) return false;
      rest_.remove_prefix(value.size() + 1);
      return set(value);
    });
  }
  template <typename Set>
  bool number(std::string_view name, Set set) {
    return member(name, [&] {
      std::uint32_t value = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
      if (error != std::errc()) return false;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      set(value);
      return true;
    });
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool first_ = true;  // nothing stands in the object yet
};

bool read_entry(Reader& reader, v1::FdbEntry& entry) {
  const auto text = [&reader, &entry](std::string_view name, auto set) {
    return reader.text(name, [&](std::string_view value) {
      (entry.*set)(std::string(value));
      return true;
    });
  };
  const auto set_state = [&entry](std::string_view word) {
    v1::FdbState state{};
    const bool known = v1::FdbState_Parse(std::string(word), &state);
    entry.set_state(state);
    return known;
  };
  return reader.open() &&                                                                         //
         text("mac", &v1::FdbEntry::set_mac<std::string>) &&                                      //
         text("dev", &v1::FdbEntry::set_dev<std::string>) &&                                      //
         text("dst", &v1::FdbEntry::set_dst<std::string>) &&                                      //
         reader.number("port", [&](std::uint32_t value) { entry.set_port(value); }) &&            //
         reader.number("vni", [&](std::uint32_t value) { entry.set_vni(value); }) &&              //
         text("via", &v1::FdbEntry::set_via<std::string>) &&                                      //
         reader.text("state", set_state) &&                                                       //
         reader.number("nhid", [&](std::uint32_t value) { entry.set_nhid(value); }) &&            //
         reader.member("router", [&] { return entry.set_router(true), reader.take("true"); }) &&  //
         reader.number("src_vni", [&](std::uint32_t value) { entry.set_src_vni(value); }) && reader.close();
}

bool read_change(std::string_view line, v1::FdbChange& change) {
  Reader reader(line);
  const auto set_operation = [&change](std::string_view word) {
    v1::FdbChange::Operation operation{};
    const bool known = v1::FdbChange::Operation_Parse(std::string(word), &operation);
    change.set_operation(operation);
    return known;
  };
  return reader.open() && reader.begin("fdb") && reader.open() && reader.text("operation", set_operation) &&
         reader.begin("entry") && read_entry(reader, *change.mutable_entry()) &&
         reader.member("force", [&] { return change.set_force(true), reader.take("true"); }) &&
         reader.close() && reader.close() && reader.at_end();
}

}  // namespace

void append_line(const v1::StateRecord& record, std::string& text) {
  if (record.has_fdb() && is_usual(record.fdb())) {
    append_change(record.fdb(), text);
  } else {
    std::string line;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    // Cannot fail: there is no Any in it.
    (void)google::protobuf::util::MessageToJsonString(record, &line, options);
    text += line;
  }
  text += '\n';
}

bool parse_line(std::string_view line, v1::StateRecord& record) {
  if (v1::FdbChange change; read_change(line, change)) {
    *record.mutable_fdb() = std::move(change);
    return true;
  }
  return google::protobuf::util::JsonStringToMessage(std::string(line), &record).ok();
}

}  // namespace vtep
