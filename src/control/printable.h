// Text of others for our messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vtep {

/// What is no printable ASCII becomes a '?', and what is too long is cut off: a server must not write control
/// characters into our log.
std::string printable(std::string_view text, std::size_t longest = 200);

}  // namespace vtep
