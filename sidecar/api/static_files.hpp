#pragma once
// sidecar/api/static_files.hpp - the console and the API's description, as they were compiled in.

#include <string>
#include <string_view>

namespace sidecar::api {

struct static_file {
    std::string_view name;  // "index.html"
    std::string_view content;
};

/// nullptr: there is none of that name. The console's files, and "openapi.yaml".
const static_file* find_static_file(std::string_view name);

std::string_view content_type_of(std::string_view name);
/// In quotes.
std::string etag_of(const static_file& one);

}  // namespace sidecar::api
