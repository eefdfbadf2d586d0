#pragma once
// test/unit/conf_testing.hpp - what the tests of conf share.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "conf/load.hpp"

namespace conf_testing {

/// What every configuration needs, so that a test may speak of one thing alone.
inline conf::environment required() {
    return {{"OUTBOX_DATABASE_URL", "mysql://u@h/d"}, {"OUTBOX_BROKER_URLS", "amqp://h"}};
}

/// Loads the text as the file named "file", with the required urls from the environment unless `more` has them.
inline conf::settings load(std::string_view yaml, const conf::environment& more = {},
                           const std::vector<std::string>& overrides = {}) {
    auto env = more;
    env.merge(required());
    return conf::load_text(yaml, "file", env, overrides);
}

/// Every problem on a line of its own; empty if there is none.
inline std::string problems(std::string_view yaml, const conf::environment& more = {},
                            const std::vector<std::string>& overrides = {}) {
    try {
        load(yaml, more, overrides);
        return {};
    } catch (const conf::invalid& e) {
        return e.what();
    }
}

inline std::string reference_file() { return std::filesystem::path{OUTBOX_SOURCE_FOLDER} / "conf" / "sidecar.yaml"; }

inline std::string content_of(const std::string& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// A folder that goes with the test.
class scratch_folder {
  public:
    scratch_folder() {
        auto name = (std::filesystem::temp_directory_path() / "conf_test.XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~scratch_folder() { std::filesystem::remove_all(path_); }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    std::string file(const std::string& name) const { return path_ / name; }
    std::string write(const std::string& name, std::string_view content) const {
        std::ofstream{path_ / name, std::ios::binary} << content;
        return file(name);
    }

  private:
    std::filesystem::path path_;
};

}  // namespace conf_testing
