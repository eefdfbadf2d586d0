#pragma once
// sidecar/command_line.hpp - from arguments to a plain description of what is wanted. Touches nothing outside.

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "outbox/inspection.hpp"
#include "outbox/ledger.hpp"
#include "sidecar/instant.hpp"

namespace sidecar {

/// Which messages, as the command line says it.
struct selection {
    outbox::message_filter filter;  // but for its times
    std::optional<moment> since;
    std::optional<moment> before;
};

/// Which entries of the ledger of failures, likewise.
struct ledger_selection {
    outbox::ledger_filter filter;  // but for its times
    std::optional<moment> since;
    std::optional<moment> before;
};

namespace command {
struct run {
    bool until_empty = false;
};
struct check {};
struct migrate {
    enum class mode { apply, print, status };
    mode how = mode::apply;
};
struct doctor {};
struct status {
    bool watch = false;
    std::chrono::milliseconds interval = std::chrono::seconds(2);
};
struct purge {
    bool dry_run = false;
};
struct list {
    selection which;
    bool overdue = false;  // delivered, and their receipt is overdue
    std::size_t limit = 50;
};
/// By exchange and last error.
struct groups {
    selection which;
    std::size_t limit = 50;
};
struct show {
    std::string id;
    bool full = false;
};
/// Either the ids, or all that the selection says.
struct change {
    std::vector<std::string> ids;
    bool all = false;
    selection which;
    bool dry_run = false;
    bool force = false;
    bool yes = false;
};
struct retry : change {};
struct remove : change {};
struct failures {
    enum class action { list, groups, show, retry, remove };
    action what = action::list;
    std::vector<std::int64_t> entries;   // one to show; those to retry or delete
    bool all = false;                    // instead, those of the selection
    ledger_selection which;              // of list, groups and `all`
    std::optional<std::int64_t> before;  // list: entries before that one
    std::size_t limit = 50;
    bool full = false;
    bool force = false;  // retry: also what was sent again before
    bool dry_run = false;
    bool yes = false;  // delete all: do not ask
};
struct redrive {
    std::string queue;
    bool dry_run = false;
    std::optional<std::uint64_t> limit;  // nullopt: what is there at the beginning
    std::optional<std::uint32_t> rate;   // a second; nullopt: as configured for that queue
};
struct health {
    std::string probe = "live";  // or "ready", "startup"
    std::optional<std::string> url;
};
struct version {};
using any = std::variant<run, check, migrate, doctor, status, purge, list, groups, show, retry, remove, failures,
                         redrive, health, version>;
}  // namespace command

struct invocation {
    std::optional<std::string> config_file;  // as given with --config
    std::vector<std::string> overrides;      // "retry.initial=5s", in the order given
    std::optional<std::string> source;       // that one alone
    bool json = false;
    command::any what = command::run{};
};

/// The parsing itself was the end of it: help was asked for, or the arguments were wrong.
struct parting {
    int exit_code = 0;
    std::string text;  // for standard output when the code is 0, else for standard error
};

/// `arguments` without the program's name. Global options may stand before and after the command.
std::variant<invocation, parting> parse(const std::vector<std::string>& arguments);

}  // namespace sidecar
