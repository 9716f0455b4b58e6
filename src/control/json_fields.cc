#include "control/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace vtep {
namespace {

constexpr std::size_t kMostText = 64 * 1024;  // far beyond what anybody has to say

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::kInvalid, std::move(message));
}

}  // namespace

Result<Json> parse_json_object(std::string_view text) {
  if (text.size() > kMostText) return invalid(fmt::format("{} bytes are too many", text.size()));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return invalid("it is not JSON");
  if (!json.is_object()) return invalid("it is JSON, but no object");
  return json;
}

const Json* find_field(const Json& object, std::string_view name) {
  const auto is_same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::equal(key, name, is_same)) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

Result<std::string> read_text(const Json& object, std::string_view name) {
  const Json* const field = find_field(object, name);
  if (field == nullptr) return std::string();
  if (!field->is_string()) return invalid(fmt::format("{} is no text", name));
  return field->get<std::string>();
}

Result<std::vector<std::string>> read_texts(const Json& object, std::string_view name) {
  const Json* const field = find_field(object, name);
  if (field == nullptr) return std::vector<std::string>();
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (!field->is_array() || !std::ranges::all_of(*field, is_text)) {
    return invalid(fmt::format("{} is no list of texts", name));
  }
  return field->get<std::vector<std::string>>();
}

Result<std::optional<std::uint64_t>> read_number(const Json& object, std::string_view name,
                                                 std::uint64_t max) {
  const Json* const field = find_field(object, name);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number_unsigned() || field->get<std::uint64_t>() > max) {
    return invalid(fmt::format("{} is no number from 0 to {}", name, max));
  }
  return field->get<std::uint64_t>();
}

Result<bool> read_flag(const Json& object, std::string_view name, bool otherwise) {
  const Json* const field = find_field(object, name);
  if (field == nullptr) return otherwise;
  if (!field->is_boolean()) return invalid(fmt::format("{} is neither true nor false", name));
  return field->get<bool>();
}

}  // namespace vtep
