#include "sidecar/message_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

#include "sidecar/status_name.hpp"

namespace sidecar {
namespace {

int parsed_status(const std::string& text) {
    for (const int known : {0, 1, 2, 3}) {
        if (text == status_name(known)) return known;
    }
    int number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && !text.empty()) return number;
    throw CLI::ValidationError("--status", "expected delivering, delivered, failed, consumed or a number");
}

void add_time(CLI::App& to, const std::string& name, std::optional<moment>& into, const std::string& what) {
    to.add_option_function<std::string>(
          name,
          [name, &into](const std::string& text) {
              try {
                  into = parse_moment(text);
              } catch (const std::invalid_argument& error) {
                  throw CLI::ValidationError(name, error.what());
              }
          },
          what)
        ->option_text("TIME");
}

void add_selection(CLI::App& to, selection& which) {
    to.add_option_function<std::string>(
          "--status", [&](const std::string& text) { which.filter.status = parsed_status(text); },
          "delivering, delivered, failed, consumed or a number")
        ->option_text("STATUS");
    to.add_option("--exchange", which.filter.exchange, "Published to this exchange")->option_text("NAME");
    to.add_option("--routing-key", which.filter.routing_key, "With this routing key")->option_text("KEY");
    to.add_option("--id-prefix", which.filter.id_prefix, "With an id that begins so")->option_text("TEXT");
    to.add_option("--error", which.filter.error, "With this in the last error")->option_text("TEXT");
    add_time(to, "--since", which.since, "Changed since: so long ago (2h) or a time (2026-11-21T08:30:00Z)");
    add_time(to, "--before", which.before, "Changed before, likewise");
}

void add_change(CLI::App& to, command::change& change, const std::string& force) {
    to.add_option("ID", change.ids, "The messages' ids; after -- if they look like options or commands");
    to.add_flag("--all", change.all, "All messages of the conditions below, instead of ids");
    to.add_flag("--dry-run", change.dry_run, "Only count what would change");
    to.add_flag("--force", change.force, force);
    add_selection(to, change.which);
}

bool selects(const selection& which) {
    const auto& f = which.filter;
    return f.status || f.exchange || f.routing_key || !f.id_prefix.empty() || !f.error.empty() || which.since ||
           which.before;
}

void check_change(const command::change& change) {
    if (change.all == !change.ids.empty()) throw CLI::ValidationError("give either ids or --all");
    if (!change.all && selects(change.which)) throw CLI::ValidationError("conditions need --all");
}

}  // namespace

void add_options(CLI::App& to, command::list& list) {
    add_selection(to, list.which);
    to.add_flag("--overdue", list.overdue, "Delivered, without a receipt for longer than receipts.overdue")
        ->excludes("--status", "--before");
    to.add_option("--limit", list.limit, "At most so many")->option_text("N [50]")->check(CLI::Range(1, 100'000));
}

void add_options(CLI::App& to, command::show& show) {
    to.add_option("ID", show.id, "The message's id")->required();
    to.add_flag("--full", show.full, "All of the body, however large");
}

void add_options(CLI::App& to, command::retry& retry) {
    add_change(to, retry, "Delivered messages too: they are sent again");
}

void add_options(CLI::App& to, command::remove& remove) {
    add_change(to, remove, "Also what is still to be delivered: it is lost");
    to.add_flag("-y,--yes", remove.yes, "With --all on a terminal: do not ask first");
}

void add_options(CLI::App& to, command::failures& given) {
    to.require_subcommand(0, 1);
    to.add_option("--limit", given.limit, "At most so many")->option_text("N [50]")->check(CLI::Range(1, 100'000));
    to.add_option("--before", given.before, "Entries before that one")->option_text("ENTRY");

    auto* show = to.add_subcommand("show", "Show one entry with its payload.")->fallthrough();
    show->add_option("ENTRY", given.entries, "The entry's number")->required()->expected(1);
    show->add_flag("--full", given.full, "All of the payload, however large");
    show->callback([&] { given.what = command::failures::action::show; });

    auto* retry = to.add_subcommand("retry",
                                    "Put the messages of these entries back to be delivered, or, if they failed on "
                                    "the consumer's side, send them now; and note it in the entries.")
                      ->fallthrough();
    retry->add_option("ENTRY", given.entries, "The entries' numbers")->required();
    retry->add_flag("--force", given.force, "Also what failed on the consumer's side and was sent again before");
    retry->callback([&] { given.what = command::failures::action::retry; });
}

void check(command::retry& retry) {
    check_change(retry);
    auto& status = retry.which.filter.status;
    if (retry.all && !status) status = static_cast<int>(outbox::status::failed);
    if (!status || *status == static_cast<int>(outbox::status::failed)) return;
    if (*status != static_cast<int>(outbox::status::delivered))
        throw CLI::ValidationError("--status", "only failed messages, or with --force delivered ones, can be put back");
    if (!retry.force) throw CLI::ValidationError("--status", "to send delivered messages again takes --force");
}

void check(const command::remove& remove) {
    check_change(remove);
    if (!remove.all) return;
    const auto& status = remove.which.filter.status;
    if (!status) throw CLI::ValidationError("--all needs --status");
    if (*status == static_cast<int>(outbox::status::delivering) && !remove.force)
        throw CLI::ValidationError("--status", "to delete what is still to be delivered takes --force");
}

}  // namespace sidecar
