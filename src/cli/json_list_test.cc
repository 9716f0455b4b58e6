#include "cli/json_list.h"

#include <gmock/gmock.h>

#include "cli/captured_output.h"

namespace vtep {
namespace {

std::string print(const std::vector<Json>& elements, bool pretty) {
  CapturedOutput captured;
  JsonList list(captured.output(), pretty);
  for (const Json& element : elements) list.add(element);
  list.end();
  return captured.text();
}

const Json kElement = {{"b", 1}, {"a", Json::array({"x", "y"})}, {"o", {{"k", true}}}, {"e", Json::object()}};

TEST(JsonList, OneLine) {
  EXPECT_EQ(print({}, false), "[]\n");
  EXPECT_EQ(print({kElement, Json::object()}, false),
            "[{\"b\":1,\"a\":[\"x\",\"y\"],\"o\":{\"k\":true},\"e\":{}},{}]\n");
}

TEST(JsonList, Pretty) {
  EXPECT_EQ(print({}, true), "[ ]\n");
  EXPECT_EQ(print({kElement, kElement}, true),
            "[ {\n"
            "        \"b\": 1,\n"
            "        \"a\": [ \"x\",\"y\" ],\n"
            "        \"o\": {\n"
            "            \"k\": true\n"
            "        },\n"
            "        \"e\": {}\n"
            "    },{\n"
            "        \"b\": 1,\n"
            "        \"a\": [ \"x\",\"y\" ],\n"
            "        \"o\": {\n"
            "            \"k\": true\n"
            "        },\n"
            "        \"e\": {}\n"
            "    } ]\n");
}

TEST(JsonList, HostileStringsStayJson) {
  const std::string text = render_json(Json{{"k", std::string("a\"\n\x01\xff")}}, false, 0);
  EXPECT_EQ(Json::parse(text).at("k"), "a\"\n\x01\xEF\xBF\xBD");
}

}  // namespace
}  // namespace vtep
