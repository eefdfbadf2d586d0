#pragma once
// conf/yaml.hpp - a YAML document as a plain tree with places, safe to walk whoever wrote it.

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace conf {

/// Counted from 1. Line 0: no place.
struct place {
    int line = 0;
    int column = 0;
};

struct node {
    enum class kind { null, scalar, list, map };

    kind what = kind::null;
    place at;
    std::string text;            // of a scalar
    bool quoted = false;         // the scalar was "quoted" or tagged !!str: text, whatever it looks like
    std::vector<node> children;  // of a list or a map, in the order of the document

    std::string key;  // of a map's child. A key can occur twice.
    place key_at;
};

/// The document is no YAML, or more of it than configuration needs.
class yaml_error : public std::runtime_error {
  public:
    yaml_error(place where, const std::string& what) : std::runtime_error{what}, at{where} {}
    place at;
};

/// Reads one document. Aliases become copies; at most 32 levels and 100'000 nodes, copies included.
/// An empty document is a null node. Throws yaml_error.
node parse_yaml(std::string_view text);

}  // namespace conf
