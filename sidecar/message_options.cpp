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

void add_limit(CLI::App& to, std::size_t& limit) {
    to.add_option("--limit", limit, "At most so many")->option_text("N [50]")->check(CLI::Range(1, 100'000));
}

void add_selection(CLI::App& to, ledger_selection& which) {
    using side = outbox::ledger_entry::side;
    to.add_option_function<std::string>(
          "--side",
          [&](const std::string& text) {
              if (text != "producer" && text != "consumer")
                  throw CLI::ValidationError("--side", "expected producer or consumer");
              which.filter.side = text == "producer" ? side::producer : side::consumer;
          },
          "Failed on this side: producer or consumer")
        ->option_text("SIDE");
    to.add_option("--exchange", which.filter.exchange, "Of a message to this exchange")->option_text("NAME");
    to.add_option("--routing-key", which.filter.routing_key, "With this routing key")->option_text("KEY");
    to.add_option("--reason", which.filter.reason, "With this in the reason")->option_text("TEXT");
    to.add_option("--message-id", which.filter.message_id, "Of the message with this id")->option_text("ID");
    add_time(to, "--since", which.since, "Filed since: so long ago (2h) or a time (2026-11-21T08:30:00Z)");
    add_time(to, "--before-time", which.before, "Filed before, likewise");
}

bool selects(const ledger_selection& which) {
    const auto& f = which.filter;
    return f.side || f.exchange || f.routing_key || f.message_id || !f.reason.empty() || which.since || which.before;
}

void add_entries(CLI::App& to, command::failures& given) {
    to.add_option("ENTRY", given.entries, "The entries' numbers");
    to.add_flag("--all", given.all, "All entries of the conditions below, instead of numbers");
    to.add_flag("--dry-run", given.dry_run, "With --all: only count them");
    add_selection(to, given.which);
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
    add_limit(to, list.limit);
}

void add_options(CLI::App& to, command::groups& groups) {
    add_selection(to, groups.which);
    add_limit(to, groups.limit);
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
    using action = command::failures::action;
    to.require_subcommand(0, 1);
    add_limit(to, given.limit);
    to.add_option("--before", given.before, "Entries before that one")->option_text("ENTRY");
    add_selection(to, given.which);
    const auto add = [&](const std::string& name, const std::string& what, action does) {
        auto* command = to.add_subcommand(name, what)->fallthrough();
        command->callback([&given, does] { given.what = does; });
        return command;
    };

    auto* groups = add("groups",
                       "Say what failed and why: entries by side, exchange and cause, the most first.\n"
                       "Looks at the latest 100,000 of them.",
                       action::groups);
    add_selection(*groups, given.which);
    add_limit(*groups, given.limit);

    auto* show = add("show", "Show one entry with its payload.", action::show);
    show->add_option("ENTRY", given.entries, "The entry's number")->required()->expected(1);
    show->add_flag("--full", given.full, "All of the payload, however large");

    auto* retry = add("retry",
                      "Put the messages of these entries back to be delivered, or, if they failed on\n"
                      "the consumer's side, send them now; and note it in the entries.",
                      action::retry);
    add_entries(*retry, given);
    retry->add_flag("--force", given.force,
                    "Also what failed on the consumer's side and was sent again before; with --all\n"
                    "whatever was retried before");

    auto* remove = add("delete", "Delete entries. The messages that they tell of stay as they are.", action::remove);
    add_entries(*remove, given);
    remove->add_flag("-y,--yes", given.yes, "With --all on a terminal: do not ask first");
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

void check(const command::failures& failures) {
    using action = command::failures::action;
    const bool selected = selects(failures.which);
    if (failures.what == action::show && selected) throw CLI::ValidationError("conditions choose no entry to show");
    if (failures.what != action::retry && failures.what != action::remove) return;
    if (failures.all == !failures.entries.empty()) throw CLI::ValidationError("give either entries or --all");
    if (!failures.all && (selected || failures.dry_run))
        throw CLI::ValidationError("conditions and --dry-run need --all");
    if (failures.what == action::remove && failures.all && !selected)
        throw CLI::ValidationError("--all needs a condition here");
}

void check(command::groups& groups) {
    auto& status = groups.which.filter.status;
    if (!status) status = static_cast<int>(outbox::status::failed);
}

}  // namespace sidecar
