#include "cli/json_list.h"

namespace vtep {

namespace {

std::string new_line(bool pretty, unsigned depth) {
  return pretty ? "\n" + std::string(4UL * depth, ' ') : "";
}

std::string scalar(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string render_object(const Json& object, bool pretty, unsigned depth) {
  std::string text = "{";
  bool first = true;
  for (const auto& [key, value] : object.items()) {
    if (!first) text += ',';
    first = false;
    text += new_line(pretty, depth + 1) + scalar(key) + (pretty ? ": " : ":") +
            render_json(value, pretty, depth + 1);
  }
  if (!first) text += new_line(pretty, depth);
  return text + '}';
}

std::string render_array(const Json& array, bool pretty, unsigned depth) {
  std::string text = pretty ? "[ " : "[";
  bool first = true;
  for (const Json& value : array) {
    if (!first) text += ',';
    first = false;
    text += render_json(value, pretty, depth + 1);
  }
  if (pretty && !first) text += ' ';
  return text + ']';
}

}  // namespace

std::string render_json(const Json& value, bool pretty, unsigned depth) {
  if (value.is_object()) return render_object(value, pretty, depth);
  if (value.is_array()) return render_array(value, pretty, depth);
  return scalar(value);
}

void JsonList::add(const Json& element) {
  output_.write(!empty_ ? "," : pretty_ ? "[ " : "[");
  empty_ = false;
  output_.write(render_json(element, pretty_, 1));
}

void JsonList::end() {
  if (empty_) output_.write(pretty_ ? "[ " : "[");
  output_.write(pretty_ && !empty_ ? " ]\n" : "]\n");
}

}  // namespace vtep
