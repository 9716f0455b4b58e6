// JSON the way iproute2 lays it out, element by element: `-j` on one line, `-p` with its own indentation.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/output.h"

namespace vtep {

/// The members of an object stay in the order in which they were set.
using Json = nlohmann::ordered_json;

/// `value` as it looks `depth` levels deep in a document. Bytes that are no UTF-8 are replaced.
std::string render_json(const Json& value, bool pretty, unsigned depth);

/// A top-level array that is written while it is made, so that its length costs no memory.
class JsonList {
 public:
  /// `output` outlives the list.
  JsonList(Output& output, bool pretty) : output_(output), pretty_(pretty) {}
  void add(const Json& element);
  /// Writes the rest of the array. Call once.
  void end();

 private:
  Output& output_;
  bool pretty_;
  bool empty_ = true;
};

}  // namespace vtep
