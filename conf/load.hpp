#pragma once
// conf/load.hpp - settings from a YAML file, the environment and the command line.
//
// Later beats earlier: defaults, the file, OUTBOX_… variables, overrides. A setting's variable is its path in capitals:
// retry.max_interval is OUTBOX_RETRY_MAX_INTERVAL. Lists of maps (retry.routes, topology.…) come from the file only; a
// list of texts is written with commas: OUTBOX_BROKER_URLS=amqp://a,amqp://b.

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"

namespace conf {

/// One thing that is wrong. Holds no secret and no line break.
struct problem {
    std::string where;  // "sidecar.yaml:12:3", "OUTBOX_RETRY_INITIAL", "--set retry.initial"
    std::string what;   // "retry.initial: expected a duration …, found "5""
};

/// Everything that is wrong, all at once. what() has a line for each problem: where, a colon, what.
class invalid : public std::runtime_error {
  public:
    explicit invalid(std::vector<problem> problems);
    const std::vector<problem>& problems() const { return problems_; }

  private:
    std::vector<problem> problems_;
};

/// Variables by name. Those that don't begin with OUTBOX_ are nobody's business, and of those that do, OUTBOX_CONFIG,
/// OUTBOX_SANITIZE, OUTBOX_TEST_… and what Kubernetes sets for a Service called outbox… are left alone.
using environment = std::map<std::string, std::string>;

/// This process's variables whose names begin with OUTBOX_.
environment process_environment();

/// Reads the file ("" for none), applies the environment and overrides such as "retry.initial=5s", checks every value
/// and reads the files that passwords are in. Relative paths count from the working directory. Not thread-safe against
/// setenv. Throws `invalid`, and nothing else for whatever the file may hold.
settings load(const std::string& file, const environment& env, const std::vector<std::string>& overrides);

/// The same with the file's content given; `name` stands for it in problems.
settings load_text(std::string_view text, const std::string& name, const environment& env,
                   const std::vector<std::string>& overrides);

/// A setting that can be given by itself, not within a list of maps.
struct setting_name {
    std::string path;      // retry.initial
    std::string variable;  // OUTBOX_RETRY_INITIAL
};

/// All of them, in the order of the reference configuration; for completion and documentation.
std::vector<setting_name> setting_names();

}  // namespace conf
