// Prints the elements of a list one by one: lines of text, or with -j one JSON array.
#pragma once

#include "cli/json_list.h"
#include "cli/options.h"
#include "cli/output.h"

namespace vtep {

class ListPrinter {
 public:
  /// `output` and `format` outlive the printer.
  ListPrinter(Output& output, const Format& format)
      : output_(output), format_(format), list_(output, format.pretty) {}

  /// `text` and `json` make what is printed of `element`; only one of them is asked.
  template <typename Element, typename Text, typename MakeJson>
  void print(const Element& element, Text text, MakeJson json) {
    if (format_.json) {
      list_.add(json(element));
    } else {
      output_.write(text(element));
    }
  }
  /// Writes the rest. Call once.
  void end() {
    if (format_.json) list_.end();
  }

 private:
  Output& output_;
  const Format& format_;
  JsonList list_;
};

}  // namespace vtep
