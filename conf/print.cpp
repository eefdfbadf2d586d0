#include "conf/print.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "conf/fields.hpp"
#include "conf/url.hpp"

namespace conf {
namespace {

using json = nlohmann::ordered_json;

/// Who knows the path of a webhook's url may often call it.
std::string without_path(const std::string& url) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) return url;
    const auto path = url.find('/', url.find("://") + 3);
    return path == std::string::npos || path + 1 == url.size() ? url : url.substr(0, path + 1) + "***";
}

/// Whoever fills the settings in by hand may have it wrong; showing them must not fail for it.
json parsed(const std::string& text) {
    auto value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json(text) : value;
}

/// Visits the descriptions and builds what is shown.
class exhibitor {
  public:
    json shown = json::object();

    template <class Visit>
    void section(std::string_view name, Visit visit) {
        exhibitor inner;
        std::swap(inner.shown, shown);
        visit();
        std::swap(inner.shown, shown);
        shown[std::string{name}] = std::move(inner.shown);
    }
    template <class T, class... Checks>
    void field(std::string_view name, const T& member, const Checks&...) {
        if constexpr (std::is_arithmetic_v<T>)
            shown[std::string{name}] = member;
        else
            shown[std::string{name}] = to_text(member);
    }
    void secret(std::string_view name, const conf::secret& member, const std::string& file) {
        // Only one of the two may be given, and a password from a file is in both.
        const bool from_file = !file.empty();
        shown[std::string{name}] = from_file || member.value.empty() ? "" : "***";
        shown[std::string{name} + "_file"] = file;
    }
    void url(std::string_view name, const std::string& member, std::initializer_list<std::string_view>) {
        shown[std::string{name}] = without_path(masked(member));
    }
    void urls(std::string_view name, const std::vector<std::string>& members, std::initializer_list<std::string_view>) {
        auto& list = shown[std::string{name}] = json::array();
        for (const auto& member : members) list.push_back(masked(member));
    }
    template <class T, class Prototype>
    void list(std::string_view name, std::vector<T>& members, const Prototype&) {
        auto& all = shown[std::string{name}] = json::array();
        for (auto& member : members) {
            exhibitor one;
            describe(one, member);
            all.push_back(std::move(one.shown));
        }
    }
    void arguments(std::string_view name, const std::vector<argument>& members) {
        auto& map = shown[std::string{name}] = json::object();
        for (const auto& member : members) map[member.name] = parsed(member.json);
    }
    void rule(std::initializer_list<std::string_view>, bool, std::string_view) {}
};

json effective(settings s) {
    exhibitor visitor;
    describe(visitor, s);
    return std::move(visitor.shown);
}

json effective(std::vector<source> all) {
    if (all.size() == 1 && all.front().name.empty()) return effective(std::move(all.front().settings));
    exhibitor visitor;
    visitor.list("sources", all, nullptr);
    if (!all.empty()) describe_process(visitor, all.front().settings);
    return std::move(visitor.shown);
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// Without quotes where no reader of YAML, old or new, could take the text for anything but text.
std::string yaml_text(const std::string& text) {
    static constexpr std::array<std::string_view, 9> words{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_-./";
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    const bool plain = lower.find_first_not_of(letters) == std::string::npos &&
                       lower.find_first_of("-./_") != 0 &&                                // markers of YAML's
                       lower.find_first_not_of("0123456789.e_-") != std::string::npos &&  // numbers and dates
                       !lower.starts_with("0x") && !lower.starts_with("0o") &&
                       std::find(words.begin(), words.end(), lower) == words.end();
    return plain ? text : dump(text);  // a JSON string is a YAML string
}

void print(const json& value, std::size_t indent, std::string& out) {
    const std::string margin(indent, ' ');
    if (!value.is_structured()) {
        out += ' ' + (value.is_string() ? yaml_text(value.get<std::string>()) : dump(value)) + '\n';
    } else if (value.empty()) {
        out += value.is_array() ? " []\n" : " {}\n";
    } else if (value.is_object()) {
        out += '\n';
        for (const auto& [key, member] : value.items()) {
            out += margin + yaml_text(key) + ':';
            print(member, indent + 2, out);
        }
    } else {
        out += '\n';
        for (const auto& element : value) {
            std::string item;
            print(element, indent + 2, item);
            const bool block = item.starts_with('\n');
            out += margin + '-' + (block ? ' ' + item.substr(1 + indent + 2) : item);
        }
    }
}

std::string as_yaml(const json& document) {
    std::string text;
    print(document, 0, text);
    return text.substr(1);  // the line break that would follow the document's key, if it had one
}

std::string as_json(const json& document) {
    return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string print_yaml(const settings& s) { return as_yaml(effective(s)); }
std::string print_json(const settings& s) { return as_json(effective(s)); }
std::string print_yaml(const std::vector<source>& all) { return as_yaml(effective(all)); }
std::string print_json(const std::vector<source>& all) { return as_json(effective(all)); }

}  // namespace conf
