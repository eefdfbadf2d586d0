// The consumer's side of the ledger: what was filed from dead-letter queues, and is sent again by hand.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <list>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

constexpr int looked_through = 1'000;             // entries
constexpr std::size_t enough_for_reason = 1'000;  // characters

bool is_long(const mysql_column& column) {
    return column.type == "longtext" || column.type == "longblob" || column.type == "json";
}

std::string fitting(const std::string& text, const mysql_column& column) {
    return is_long(column) && column.type != "longtext" ? text : fitting_text(text, room_in(column));
}

// This may be the only copy that is left: all of it, or nothing.
void require_room(const std::string& payload, const mysql_column& column) {
    const bool fits = is_long(column) || payload.size() <= room_in(column).characters;
    if (!fits || (!column.charset.empty() && fitting(payload, column) != payload))
        throw store_error(
            fmt::format("the payload of {} bytes does not fit into the column payload of the ledger", payload.size()));
}

}  // namespace

bool mysql_store::file_failure(const consumer_failure& one, bool perhaps_filed) {
    if (!has_ledger()) return false;
    require_room(one.payload, ledger_schema_.columns["payload"]);
    if (perhaps_filed && is_filed(one.reason)) return true;
    // Where the column makes no ids, somebody else may take the same at the same time.
    retrying<store_duplicate>([&] { insert_failure(one); });
    return true;
}

bool mysql_store::is_filed(const std::string& reason) {
    const auto& column = ledger_schema_.columns["ex_content"];
    if (!is_long(column) && room_in(column).characters < enough_for_reason) return false;
    const auto text = fitting(reason, column);
    bool found = false;
    session_.query(fmt::format("SELECT 1 FROM (SELECT fail_flag + 0 AS side, ex_content FROM {} ORDER BY id DESC LIMIT "
                               "{}) AS latest WHERE side = 1 AND ex_content = ? LIMIT 1",
                               ledger_, looked_through),
                   std::array<mysql_value, 1>{text}, [&](const mysql_row&) { found = true; });
    return found;
}

void mysql_store::insert_failure(const consumer_failure& one) {
    std::vector<std::string> columns, values;
    std::list<std::string> texts;
    std::vector<mysql_value> args;  // in the order of `values`; refer to `texts`
    const auto put = [&](const char* name, const std::string& value) {
        if (!ledger_schema_.has(name)) return false;
        columns.push_back(fmt::format("`{}`", name));
        values.push_back(value);
        return true;
    };
    const auto put_text = [&](const char* name, const std::optional<std::string>& text) {
        if (text && put(name, "?")) args.emplace_back(texts.emplace_back(fitting(*text, ledger_schema_.columns[name])));
    };

    if (!ledger_schema_.columns["id"].numbers_itself && put("id", "?")) args.emplace_back(free_ledger_id());
    put_text("custom_message_id", one.message_id);
    const auto& id = ledger_schema_.columns["message_id"];
    const auto given = one.message_id.value_or("");
    if (!id.nullable || (one.message_id && fitting_text(given, room_in(id)) == given)) put_text("message_id", given);
    put_text("topic", one.exchange);
    put_text("tags", one.routing_key);
    if (one.created && put("message_create_time", "TIMESTAMP'1970-01-01 00:00:00' + INTERVAL ? SECOND"))
        args.emplace_back(*one.created);
    put_text("headers", one.headers);
    put_text("properties", one.properties);
    put("payload", "?");
    args.emplace_back(one.payload);
    put_text("ex_content", one.reason);
    put("fail_flag", "1");
    put("retry", "0");
    put("last_retry_status", "0");
    put("source", fmt::format("'{}'", name_of(settings_.table)));
    put("create_time", std::string(mysql_now));
    session_.execute(
        fmt::format("INSERT INTO {} ({}) VALUES ({})", ledger_, fmt::join(columns, ", "), fmt::join(values, ", ")),
        args);
}

ledger_resend mysql_store::resend_entry(std::int64_t entry, bool repeat,
                                        const std::function<bool(const consumer_failure&)>& send) {
    if (!has_ledger()) return ledger_resend::no_entry;
    auto outcome = ledger_resend::no_entry;
    const std::array<mysql_value, 1> which = {entry};
    // Not tried again by itself: it may have been sent.
    session_.transaction([&] {
        consumer_failure one;
        session_.query(
            fmt::format("SELECT last_retry_status + 0, message_id, {}, {}, {}, {}, payload FROM {} WHERE id = ? AND "
                        "fail_flag = 1{} FOR UPDATE",
                        ledger_schema_.selected("topic"), ledger_schema_.selected("tags"),
                        ledger_schema_.selected("headers"), ledger_schema_.selected("properties"), ledger_,
                        of_this_table()),
            which, [&](const mysql_row& row) {
                outcome = row.number(1).value_or(0) == 0 ? ledger_resend::not_done : ledger_resend::already;
                one.message_id = row.text(2);
                one.exchange = row.text(3).value_or("");
                one.routing_key = row.text(4).value_or("");
                one.headers = row.text(5);
                one.properties = row.text(6);
                one.payload = row.text(7).value_or("");
            });
        if (outcome == ledger_resend::no_entry || (outcome == ledger_resend::already && !repeat)) return;
        outcome = send(one) ? ledger_resend::done : ledger_resend::not_done;
        session_.execute(
            fmt::format("UPDATE {} SET retry = CASE WHEN retry < {} THEN retry + 1 ELSE retry END, "
                        "last_retry_status = {}{} WHERE id = ?",
                        ledger_, largest_of(ledger_schema_.columns["retry"].type),
                        outcome == ledger_resend::done ? 1 : 0,
                        ledger_schema_.has("retry_time") ? fmt::format(", retry_time = {}", mysql_now) : ""),
            which);
    });
    return outcome;
}

}  // namespace outbox
