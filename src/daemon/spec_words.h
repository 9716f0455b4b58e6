// Single words of the API, checked. Errors are kInvalid and repeat the word.
#pragma once

#include <cstdint>
#include <string>

#include "base/mac.h"
#include "base/result.h"
#include "base/vni.h"

namespace vtep {

Result<MacAddr> parse_mac(const std::string& text);
Result<Vni> parse_vni_number(std::uint32_t number);

}  // namespace vtep
