#include "sidecar/command_line.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "conf/units.hpp"
#include "sidecar/completion.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/message_options.hpp"

namespace sidecar {
namespace {

constexpr auto description =
    "Relays the rows of an outbox table in MySQL, MariaDB, PostgreSQL or SQLite to RabbitMQ: each row whose\n"
    "transaction committed is published with a publisher confirm, and its outcome is recorded in the row.\n";

constexpr auto footer =
    "\nSettings come from --set, then OUTBOX_... variables, then the configuration file, then defaults.\n"
    "Exit codes: 0 success; 1 failed, not all changed, stopped before it was empty, or (doctor) problems found;\n"
    "64 wrong usage; 69 database or broker unavailable; 70 internal error; 78 wrong configuration.\n"
    "`outbox-sidecar COMMAND --help` tells more about one command.";

std::chrono::milliseconds parsed_interval(const std::string& text) {
    constexpr std::chrono::milliseconds least{200}, most = std::chrono::hours(1);
    try {
        const auto interval = conf::parse_duration(text);
        if (interval >= least && interval <= most) return interval;
    } catch (const conf::wrong_value&) {
    }
    throw CLI::ValidationError("--interval", "expected a time from 200ms to 1h, as in 2s");
}

void add_global_options(CLI::App& app, invocation& result) {
    app.add_option("-c,--config", result.config_file,
                   "The configuration file. Else $OUTBOX_CONFIG; else ./sidecar.yaml or\n"
                   "/etc/outbox-sidecar/sidecar.yaml, if one exists; else none: variables alone")
        ->option_text("FILE");
    app.add_option("-s,--set", result.overrides, "One setting, as in --set retry.initial=5s; may be repeated")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false)  // or it would swallow the command
        ->take_all();
    app.add_option("--source", result.source,
                   "One of several sources, by its name; else run, check, migrate, doctor, status and\n"
                   "purge mean all of them, one after the other")
        ->option_text("NAME");
    app.add_flag("--json", result.json, "Print JSON instead of text");
}

template <class Command>
CLI::App* add_command(CLI::App& app, invocation& result, const std::string& name, const std::string& what) {
    auto* command = app.add_subcommand(name, what);
    command->fallthrough();  // for the global options
    command->footer("\nAlso --config, --set, --source and --json; see `outbox-sidecar --help`.");
    command->callback([&result] {
        if (!std::holds_alternative<Command>(result.what)) result.what = Command{};
    });
    return command;
}

// What the commands are given besides the global options.
struct options {
    command::run run;
    command::migrate migrate;
    command::status status;
    command::purge purge;
    command::list list;
    command::groups groups;
    command::show show;
    command::retry retry;
    command::remove remove;
    command::failures failures;
    command::redrive redrive;
    command::health health;

    command::any of(const command::any& chosen) const {
        return std::visit([this](const auto& one) -> command::any { return given(one); }, chosen);
    }

  private:
    const command::run& given(const command::run&) const { return run; }
    const command::migrate& given(const command::migrate&) const { return migrate; }
    const command::status& given(const command::status&) const { return status; }
    const command::purge& given(const command::purge&) const { return purge; }
    const command::list& given(const command::list&) const { return list; }
    const command::groups& given(const command::groups&) const { return groups; }
    const command::show& given(const command::show&) const { return show; }
    const command::retry& given(const command::retry&) const { return retry; }
    const command::remove& given(const command::remove&) const { return remove; }
    const command::failures& given(const command::failures&) const { return failures; }
    const command::redrive& given(const command::redrive&) const { return redrive; }
    const command::health& given(const command::health&) const { return health; }
    template <class Other>
    const Other& given(const Other& other) const {
        return other;
    }
};

void add_service_commands(CLI::App& app, invocation& result, options& given) {
    add_command<command::run>(app, result, "run",
                              "Relay until told to stop (the default). SIGTERM or SIGINT drains: what is in flight is\n"
                              "awaited and recorded; a second one quits at once. SIGHUP reads the configuration again.")
        ->add_flag("--until-empty", given.run.until_empty,
                   "End with 0 when no message is due or waits for another try, whoever relays\n"
                   "it; with 1 when told to stop before. Those that were put off and never tried are\n"
                   "not waited for");
    add_command<command::check>(app, result, "check",
                                "Validate the configuration and print what it comes to, secrets masked. Connects to\n"
                                "nothing.");

    auto* migration =
        add_command<command::migrate>(app, result, "migrate", "Create or update the outbox table. Safe to repeat.");
    auto* print = migration->add_flag_callback(
        "--print", [&] { given.migrate.how = command::migrate::mode::print; },
        "Print the SQL instead, for applying it by hand; connects to nothing");
    migration
        ->add_flag_callback(
            "--status", [&] { given.migrate.how = command::migrate::mode::status; },
            "Say which migrations are applied; changes nothing")
        ->excludes(print);

    add_command<command::doctor>(app, result, "doctor",
                                 "Examine database, broker and configuration, and say what to do about what is found.\n"
                                 "Changes nothing.");
    auto* status =
        add_command<command::status>(app, result, "status", "Count the rows by status, and those that are due.");
    status->add_flag("--watch", given.status.watch,
                     "Again and again, with what happens a second, until it is interrupted; counts\n"
                     "no further than 100,000 of each");
    status
        ->add_option_function<std::string>(
            "--interval", [&](const std::string& text) { given.status.interval = parsed_interval(text); },
            "With --watch: how often, from 200ms on")
        ->option_text("TIME [2s]")
        ->needs("--watch");
    add_command<command::purge>(app, result, "purge", "Delete now what is older than its retention, in small batches.")
        ->add_flag("--dry-run", given.purge.dry_run, "Only count what would be deleted");
    auto* health = add_command<command::health>(app, result, "health",
                                                "Ask a running sidecar how it is, at http.probes: exit code 0, or 69.\n"
                                                "For images without a shell.");
    health->add_option("--probe", given.health.probe, "live (the default), ready or startup")
        ->check(CLI::IsMember({"live", "ready", "startup"}))
        ->option_text("WHICH");
    health
        ->add_option("--url", given.health.url,
                     "Ask there instead, as in http://127.0.0.1:9465; needs no configuration")
        ->option_text("URL");
    add_command<command::version>(app, result, "version", "Print the version.");
}

template <class Command>
void add_message_command(CLI::App& app, invocation& result, Command& given, const std::string& name,
                         const std::string& what) {
    add_options(*add_command<Command>(app, result, name, what), given);
}

void add_message_commands(CLI::App& app, invocation& result, options& given) {
    add_message_command(app, result, given.list, "list", "List messages, the latest change first.");
    add_message_command(app, result, given.groups, "groups",
                        "Say what failed and why: failed messages by exchange and last error, the most first.\n"
                        "Looks at the latest 100,000 of them.");
    add_message_command(app, result, given.show, "show", "Show one message with its body.");
    add_message_command(app, result, given.retry, "retry",
                        "Put failed messages back to be delivered, due now, with no tries spent.");
    add_message_command(app, result, given.remove, "delete", "Delete messages, in small batches.");
    add_message_command(app, result, given.failures, "failures",
                        "List the ledger of failures (sys_mq_fail), the latest first; say by `groups` what\n"
                        "failed; or `show`, `retry` or `delete` its entries.");
    auto* redrive = add_command<command::redrive>(
        app, result, "redrive",
        "Send the messages of a dead-letter queue to where they came from, or to where the\n"
        "configuration says, now. Each leaves the queue once its copy is confirmed and routed.");
    redrive->add_option("QUEUE", given.redrive.queue, "The dead-letter queue's name")->required();
    redrive->add_flag("--dry-run", given.redrive.dry_run, "Only say what would go where");
    redrive->add_option("--limit", given.redrive.limit, "At most so many")
        ->option_text("N")
        ->check(CLI::PositiveNumber);
    redrive->add_option("--rate", given.redrive.rate, "At most so many a second")
        ->option_text("N [100]")
        ->check(CLI::Range(1, 100'000));
}

void check_source(const invocation& wanted) {
    const bool of_process =
        std::holds_alternative<command::health>(wanted.what) || std::holds_alternative<command::version>(wanted.what);
    if (wanted.source && of_process)
        throw CLI::ValidationError("--source", "this command is about the process, not about one of its sources");
}

}  // namespace

std::variant<invocation, parting> parse(const std::vector<std::string>& arguments) {
    invocation result;
    options given;
    CLI::App app(description, "outbox-sidecar");
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(28);
    add_global_options(app, result);
    add_service_commands(app, result, given);
    add_message_commands(app, result, given);
    std::string shell;
    app.add_subcommand("completion", "Print a script that has a shell complete this command line.")
        ->add_option("SHELL", shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    app.footer(footer);  // after them, or each would inherit it
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // it pops them off the back
        if (!shell.empty()) return parting{exit_code::success, completion(app, shell)};
        result.what = given.of(result.what);
        check_source(result);
        if (auto* retry = std::get_if<command::retry>(&result.what)) check(*retry);
        if (const auto* remove = std::get_if<command::remove>(&result.what)) check(*remove);
        if (const auto* failures = std::get_if<command::failures>(&result.what)) check(*failures);
        if (auto* groups = std::get_if<command::groups>(&result.what)) check(*groups);
    } catch (const CLI::ParseError& end) {
        std::ostringstream out, err;
        const bool wrong = app.exit(end, out, err) != 0;
        return wrong ? parting{exit_code::usage, err.str()} : parting{exit_code::success, out.str()};
    }
    return result;
}

}  // namespace sidecar
