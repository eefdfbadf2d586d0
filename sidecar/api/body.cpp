#include "sidecar/api/body.hpp"

#include <set>
#include <vector>

namespace sidecar::api {
namespace {

constexpr int deepest = 32;

}  // namespace

json parse_body(const std::string& text) {
    std::vector<std::set<std::string>> names;  // of the objects that are open
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
        using what = json::parse_event_t;
        if (depth > deepest) throw problem(400, "the body: it nests too deeply");
        if (event == what::object_start) names.emplace_back();
        if (event == what::object_end) names.pop_back();
        if (event == what::key && !names.back().insert(parsed.get<std::string>()).second)
            throw problem(400, "the body: '" + parsed.get<std::string>() + "' is there twice");
        return true;
    };
    try {
        return json::parse(text, check);
    } catch (const json::exception& error) {
        throw problem(400, std::string("the body is no JSON: ") + error.what());
    }
}

}  // namespace sidecar::api
