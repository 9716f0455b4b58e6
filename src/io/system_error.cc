#include "io/system_error.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace vtep {

Error system_error(std::string_view what, int error_number) {
  const bool denied = error_number == EPERM || error_number == EACCES;
  return {denied ? ErrorKind::kPermission : ErrorKind::kSystem,
          std::string(what) + ": " + std::generic_category().message(error_number)};
}

}  // namespace vtep
