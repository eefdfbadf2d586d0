#pragma once
// conf/sources.hpp - one configuration for several tables: the list `sources`. What a source does not say, it takes
// from the top of the file; http, tracing and log stand at the top only. Variables and overrides mean the top, too.

#include <string>
#include <string_view>
#include <vector>

#include "conf/load.hpp"
#include "conf/settings.hpp"

namespace conf {

/// One table, and whatever its messages need.
struct source {
    std::string name;         // empty: there is no list of sources, and this is the only one
    conf::settings settings;  // complete; http, tracing and log are the same in all
    bool operator==(const source&) const = default;
};

/// Whether both name the same table in the same words, whoever logs in there. The same server may have several names.
bool same_table(const database& one, const database& other);

/// As `load` in conf/load.hpp. At least one; several have different names and different tables.
std::vector<source> load_sources(const std::string& file, const environment& env,
                                 const std::vector<std::string>& overrides);

/// The same with the file's content given; `name` stands for it in problems.
std::vector<source> load_sources_text(std::string_view text, const std::string& name, const environment& env,
                                      const std::vector<std::string>& overrides);

}  // namespace conf
