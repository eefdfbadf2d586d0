#pragma once
// sidecar/api/embedded_files.hpp - made by CMake from sidecar/console/ and sidecar/api/openapi.yaml.

#include <vector>

#include "sidecar/api/static_files.hpp"

namespace sidecar::api {

const std::vector<static_file>& embedded_files();

}  // namespace sidecar::api
