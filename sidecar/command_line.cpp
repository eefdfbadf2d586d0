#include "sidecar/command_line.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "sidecar/exit_code.hpp"

namespace sidecar {
namespace {

constexpr auto description =
    "Relays the rows of an outbox table in MySQL or MariaDB to RabbitMQ: each row whose transaction committed is\n"
    "published with a publisher confirm, and its outcome is recorded in the row.\n";

constexpr auto footer =
    "\nSettings come from --set, then OUTBOX_... variables, then the configuration file, then defaults.\n"
    "Exit codes: 0 success, 1 failed or (doctor) problems found, 64 wrong usage, 69 database or broker unavailable,\n"
    "70 internal error, 78 wrong configuration.\n"
    "`outbox-sidecar COMMAND --help` tells more about one command.";

void add_global_options(CLI::App& app, invocation& result) {
    app.add_option("-c,--config", result.config_file,
                   "The configuration file. Else $OUTBOX_CONFIG; else ./sidecar.yaml or\n"
                   "/etc/outbox-sidecar/sidecar.yaml, if one exists; else none: variables alone")
        ->option_text("FILE");
    app.add_option("-s,--set", result.overrides, "One setting, as in --set retry.initial=5s; may be repeated")
        ->option_text("KEY=VALUE")
        ->allow_extra_args(false)  // or it would swallow the command
        ->take_all();
    app.add_flag("--json", result.json, "Print JSON instead of text");
}

template <class Command>
CLI::App* add_command(CLI::App& app, invocation& result, const std::string& name, const std::string& what) {
    auto* command = app.add_subcommand(name, what);
    command->fallthrough();  // for the global options
    command->footer("\nAlso --config, --set and --json; see `outbox-sidecar --help`.");
    command->callback([&result] {
        if (!std::holds_alternative<Command>(result.what)) result.what = Command{};
    });
    return command;
}

void add_commands(CLI::App& app, invocation& result, command::migrate& migrate, command::purge& purge) {
    add_command<command::run>(
        app, result, "run",
        "Relay until told to stop (the default). SIGTERM or SIGINT drains: what is in flight is\n"
        "awaited and recorded; a second one quits at once. SIGHUP reads the configuration again.");
    add_command<command::check>(app, result, "check",
                                "Validate the configuration and print what it comes to, secrets masked. Connects to\n"
                                "nothing.");

    auto* migration =
        add_command<command::migrate>(app, result, "migrate", "Create or update the outbox table. Safe to repeat.");
    auto* print = migration->add_flag_callback(
        "--print", [&] { migrate.how = command::migrate::mode::print; },
        "Print the SQL instead, for applying it by hand; connects to nothing");
    migration
        ->add_flag_callback(
            "--status", [&] { migrate.how = command::migrate::mode::status; },
            "Say which migrations are applied; changes nothing")
        ->excludes(print);

    add_command<command::doctor>(app, result, "doctor",
                                 "Examine database, broker and configuration, and say what to do about what is found.\n"
                                 "Changes nothing.");
    add_command<command::status>(app, result, "status", "Count the rows by status, and those that are due.");
    add_command<command::purge>(app, result, "purge", "Delete now what is older than its retention, in small batches.")
        ->add_flag("--dry-run", purge.dry_run, "Only count what would be deleted");
    add_command<command::version>(app, result, "version", "Print the version.");
}

}  // namespace

std::variant<invocation, parting> parse(const std::vector<std::string>& arguments) {
    invocation result;
    command::migrate migrate;
    command::purge purge;
    CLI::App app(description, "outbox-sidecar");
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(28);
    add_global_options(app, result);
    add_commands(app, result, migrate, purge);
    app.footer(footer);  // after them, or each would inherit it
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // it pops them off the back
    } catch (const CLI::ParseError& end) {
        std::ostringstream out, err;
        const bool wrong = app.exit(end, out, err) != 0;
        return wrong ? parting{exit_code::usage, err.str()} : parting{exit_code::success, out.str()};
    }
    if (std::holds_alternative<command::migrate>(result.what)) result.what = migrate;
    if (std::holds_alternative<command::purge>(result.what)) result.what = purge;
    return result;
}

}  // namespace sidecar
