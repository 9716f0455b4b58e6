// Fields of a JSON object that others have written. Nothing is believed before it was checked: each function
// says in a sentence (kInvalid) what is wrong with a field, by its name.
//
// Names of fields are found without regard to case, as Go does it, and so do people who write for flannel.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vtep {

using Json = nlohmann::json;

/// An object of at most 64 KB of text.
Result<Json> parse_json_object(std::string_view text);
/// Null: it is not there, or it is JSON's null.
const Json* find_field(const Json& object, std::string_view name);

/// Empty if it is not there.
Result<std::string> read_text(const Json& object, std::string_view name);
Result<std::vector<std::string>> read_texts(const Json& object, std::string_view name);
Result<std::optional<std::uint64_t>> read_number(const Json& object, std::string_view name,
                                                 std::uint64_t max);
Result<bool> read_flag(const Json& object, std::string_view name, bool otherwise);

}  // namespace vtep
