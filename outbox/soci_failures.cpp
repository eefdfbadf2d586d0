// The consumer's side of the ledger: what was filed from dead-letter queues, and is sent again by hand.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <list>

#include "outbox/deadlock.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

constexpr int looked_through = 1'000;             // entries
constexpr std::size_t enough_for_reason = 1'000;  // characters

std::string hexadecimal(std::string_view bytes) {
    std::string digits;
    digits.reserve(2 * bytes.size());
    for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return digits;
}

}  // namespace

bool soci_store::file_failure(const consumer_failure& one, bool perhaps_filed) {
    if (!has_ledger()) return false;
    // This may be the only copy that is left: all of it, or nothing.
    const auto& column = in_ledger("payload");
    if (!dialect_->is_binary(column) && fitting_text(one.payload, dialect_->room_in(column)) != one.payload)
        throw store_error(fmt::format("the payload of {} bytes does not fit into the column payload of the ledger",
                                      one.payload.size()));
    if (perhaps_filed && is_filed(one.reason)) return true;
    // Where the column makes no ids, somebody else may take the same at the same time.
    retrying<store_duplicate>([&] { retrying_deadlocks([&] { insert_failure(one); }); });
    return true;
}

bool soci_store::is_filed(const std::string& reason) {
    const auto& column = in_ledger("ex_content");
    const auto room = dialect_->room_in(column);
    if (room.characters < enough_for_reason) return false;
    const auto digits = hexadecimal(fitting_text(reason, room));
    bool found = false;
    session_.query(
        fmt::format("SELECT 1 FROM (SELECT {} AS side, {} AS said FROM {} ORDER BY id DESC LIMIT {}) AS latest WHERE "
                    "side = 1 AND said = {} LIMIT 1",
                    dialect_->number_of_flag("fail_flag", in_ledger("fail_flag")),
                    dialect_->bytes("ex_content", column), ledger_, looked_through, dialect_->given_bytes("reason")),
        1, std::array<sql_value, 1>{digits}, [&](const sql_row&) { found = true; });
    return found;
}

void soci_store::insert_failure(const consumer_failure& one) {
    std::vector<std::string> columns, values, given_columns;
    std::list<std::string> texts;
    std::vector<sql_value> args;  // in the order of the id and of `given_columns`; refer to `texts`
    const auto put = [&](const char* name, const std::string& value) {
        if (!ledger_schema_.has(name)) return false;
        columns.emplace_back(name);
        values.push_back(value);
        return true;
    };
    // What is bytes travels as digits, so that nothing in it is changed on the way.
    const auto put_bytes = [&](const char* name, std::string_view any) {
        if (!ledger_schema_.has(name)) return;
        const auto& to = in_ledger(name);
        const bool binary = dialect_->is_binary(to);
        table_column from;
        from.type = binary ? to.type : "text";
        put(name, dialect_->converted(fmt::format("given.{}", name), from, to));
        given_columns.push_back(binary ? fmt::format("{} AS {}", dialect_->given_bytes(name), name)
                                       : fmt::format("CAST(:{0} AS text) AS {0}", name));
        args.emplace_back(texts.emplace_back(binary ? hexadecimal(any) : std::string(any)));
    };
    const auto put_text = [&](const char* name, const std::optional<std::string>& text) {
        if (text && ledger_schema_.has(name)) put_bytes(name, fitting_text(*text, dialect_->room_in(in_ledger(name))));
    };

    if (!in_ledger("id").numbers_itself && put("id", "CAST(:id AS bigint)")) args.emplace_back(free_ledger_id());
    put_text("custom_message_id", one.message_id);
    const auto& id = in_ledger("message_id");
    const auto given = one.message_id.value_or("");
    if (!id.nullable || (one.message_id && fitting_text(given, dialect_->room_in(id)) == given))
        put_text("message_id", given);
    put_text("topic", one.exchange);
    put_text("tags", one.routing_key);
    if (one.created) put("message_create_time", dialect_->datetime(std::to_string(*one.created)));
    put_text("headers", one.headers);
    put_text("properties", one.properties);
    put_bytes("payload", one.payload);
    put_text("ex_content", one.reason);
    put("fail_flag", dialect_->flag(true, in_ledger("fail_flag")));
    put("retry", "0");
    put("last_retry_status", dialect_->flag(false, in_ledger("last_retry_status")));
    put("source", fmt::format("'{}'", name_of(settings_.table)));
    put("create_time", now_);
    session_.execute(fmt::format("INSERT INTO {} ({}) SELECT {} FROM (SELECT {}) AS given", ledger_,
                                 fmt::join(columns, ", "), fmt::join(values, ", "), fmt::join(given_columns, ", ")),
                     args);
}

ledger_resend soci_store::resend_entry(std::int64_t entry, bool repeat,
                                       const std::function<bool(const consumer_failure&)>& send) {
    if (!has_ledger()) return ledger_resend::no_entry;
    const auto text = [&](const char* name) {
        return ledger_schema_.has(name) ? dialect_->text(name, in_ledger(name)) : std::string("NULL");
    };
    auto outcome = ledger_resend::no_entry;
    const std::array<sql_value, 1> which = {entry};
    // Not tried again by itself: it may have been sent.
    session_.transaction([&] {
        consumer_failure one;
        bool consumers = false;
        session_.query(fmt::format("SELECT {}, {}, message_id, {}, {}, {}, {}, {} FROM {} WHERE id = :entry{}{}",
                                   dialect_->number_of_flag("fail_flag", in_ledger("fail_flag")),
                                   dialect_->number_of_flag("last_retry_status", in_ledger("last_retry_status")),
                                   text("topic"), text("tags"), text("headers"), text("properties"), text("payload"),
                                   ledger_, of_this_table(), dialect_->locking()),
                       8, which, [&](const sql_row& row) {
                           consumers = row.number(1).value_or(0) != 0;
                           outcome = row.number(2).value_or(0) == 0 ? ledger_resend::not_done : ledger_resend::already;
                           one.message_id = row.text(3);
                           one.exchange = row.text(4).value_or("");
                           one.routing_key = row.text(5).value_or("");
                           one.headers = row.text(6);
                           one.properties = row.text(7);
                           one.payload = dialect_->body(row.text(8).value_or(""), in_ledger("payload"));
                       });
        if (!consumers) outcome = ledger_resend::no_entry;
        if (outcome == ledger_resend::no_entry || (outcome == ledger_resend::already && !repeat)) return;
        outcome = send(one) ? ledger_resend::done : ledger_resend::not_done;
        session_.execute(fmt::format("UPDATE {} SET retry = CASE WHEN retry < {} THEN retry + 1 ELSE retry END, "
                                     "last_retry_status = {}{} WHERE id = :entry",
                                     ledger_, largest_of(in_ledger("retry").type),
                                     dialect_->flag(outcome == ledger_resend::done, in_ledger("last_retry_status")),
                                     ledger_schema_.has("retry_time") ? fmt::format(", retry_time = {}", now_) : ""),
                         which);
    });
    return outcome;
}

}  // namespace outbox
