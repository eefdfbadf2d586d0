#include "conf/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace conf {
namespace {

constexpr std::size_t deepest = 32;
constexpr std::size_t most_nodes = 100'000;
constexpr std::size_t most_bytes = 16 * 1024 * 1024;  // of text, copies included

place place_of(const YAML::Mark& mark) {
    return mark.is_null() ? place{} : place{.line = mark.line + 1, .column = mark.column + 1};
}

node make(node::kind kind, const YAML::Mark& mark) {
    node n;
    n.what = kind;
    n.at = place_of(mark);
    return n;
}

struct extent {
    std::size_t nodes = 1;
    std::size_t levels = 1;
    std::size_t bytes = 0;
};

extent measure(const node& n) {
    extent all{.bytes = n.text.size() + n.key.size()};
    for (const auto& child : n.children) {
        const auto part = measure(child);
        all.nodes += part.nodes;
        all.levels = std::max(all.levels, part.levels + 1);
        all.bytes += part.bytes;
    }
    return all;
}

/// Builds the tree from the parser's events, not from YAML::Node: only so are places, quotes, duplicate keys and
/// aliases seen as they were written, and the limits are kept while reading rather than after.
class builder : public YAML::EventHandler {
  public:
    node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0) throw yaml_error{place_of(mark), "only one YAML document is expected"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (expects_key()) return begin_entry("null", place_of(mark));
        count({}, place_of(mark));
        add(make(node::kind::null, mark), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) throw yaml_error{place_of(mark), "the alias names a value that is not complete"};
        if (expects_key()) throw yaml_error{place_of(mark), "an alias can't be a key"};
        count(measure(found->second), place_of(mark));
        node copy = found->second;
        copy.at = place_of(mark);
        add(std::move(copy), YAML::NullAnchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        if (expects_key()) return begin_entry(value, place_of(mark));
        count({.bytes = value.size()}, place_of(mark));
        auto scalar = make(node::kind::scalar, mark);
        scalar.text = value;
        scalar.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
        add(std::move(scalar), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(node::kind::list, mark, anchor);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(node::kind::map, mark, anchor);
    }
    void OnMapEnd() override { close(); }

  private:
    struct unfinished {
        node value;
        YAML::anchor_t anchor;
        bool has_key = false;  // of a map: a key was read and its value comes next
        std::string key;
        place key_at;
    };

    bool expects_key() const {
        return !open_.empty() && open_.back().value.what == node::kind::map && !open_.back().has_key;
    }

    void begin_entry(const std::string& key, place at) {
        count({.bytes = key.size()}, at);
        open_.back().has_key = true;
        open_.back().key = key;
        open_.back().key_at = at;
    }

    void open(node::kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (expects_key()) throw yaml_error{place_of(mark), "a key must be plain text"};
        count({}, place_of(mark));
        open_.push_back({.value = make(kind, mark), .anchor = anchor, .key = {}, .key_at = {}});
    }

    void close() {
        unfinished done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.value), done.anchor);
    }

    void add(node value, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) {
            count(measure(value), value.at);  // it is kept once more, for its aliases
            anchors_[anchor] = value;
        }
        if (open_.empty()) {
            root_ = std::move(value);
            return;
        }
        auto& parent = open_.back();
        if (parent.has_key) {
            value.key = std::exchange(parent.key, {});
            value.key_at = parent.key_at;
            if (value.what == node::kind::null) value.at = value.key_at;  // the parser's mark is the token after it
            parent.has_key = false;
        }
        parent.value.children.push_back(std::move(value));
    }

    /// Every value passes here before it takes up memory.
    void count(const extent& more, place at) {
        nodes_ += more.nodes;
        bytes_ += more.bytes;
        if (nodes_ > most_nodes || bytes_ > most_bytes) throw yaml_error{at, "more values than any configuration has"};
        if (open_.size() + more.levels > deepest) throw yaml_error{at, "nested more deeply than any configuration is"};
    }

    int documents_ = 0;
    std::size_t nodes_ = 0;
    std::size_t bytes_ = 0;
    node root_;
    std::vector<unfinished> open_;
    std::map<YAML::anchor_t, node> anchors_;
};

}  // namespace

node parse_yaml(std::string_view text) {
    // yaml-cpp takes the end of the file for the end of a quoted text, if a line break stands before it: a forgotten
    // quotation mark would swallow all that follows without a word. A comment there makes it notice.
    std::istringstream in{std::string{text} + "\n#"};
    builder tree;
    try {
        YAML::Parser parser{in};
        while (parser.HandleNextDocument(tree)) {
        }
    } catch (const YAML::Exception& e) {
        throw yaml_error{place_of(e.mark), "no valid YAML: " + e.msg};
    }
    return tree.take();
}

}  // namespace conf
