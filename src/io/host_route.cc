#include "io/host_route.h"

namespace vtep {

std::string to_string(const HostRoute& route, std::string_view device_name) {
  std::string text = route.destination.to_string();
  if (route.gateway) text += " via " + route.gateway->to_string();
  if (route.device.is_set()) text += " dev " + std::string(device_name);
  if (route.metric != 0) text += " metric " + std::to_string(route.metric);
  return text;
}

}  // namespace vtep
