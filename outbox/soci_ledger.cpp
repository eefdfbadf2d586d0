#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "outbox/batch_document.hpp"
#include "outbox/deadlock.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

using kind = batch_field::kind;

// A table of that name without these is not the ledger.
constexpr std::array needed = {"id", "message_id", "payload", "ex_content", "fail_flag", "retry", "last_retry_status"};

// What an application wrote into a text column need not be JSON, and must not be refused for it.
std::optional<std::string> as_json(std::optional<std::string> text) {
    if (!text || nlohmann::json::accept(*text)) return text;
    return nlohmann::json(*text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// By which ids of those who look at the same time, where the column makes none, hardly are the same.
std::int64_t random_step() {
    thread_local std::minstd_rand source{std::random_device{}()};
    return std::uniform_int_distribution<std::int64_t>(1, 1000)(source);
}

}  // namespace

void soci_store::learn_ledger() {
    ledger_schema_ = dialect_->read_schema(session_, beside(settings_.table, "sys_mq_fail"));
    for (const auto* name : needed) {
        if (!ledger_schema_.has(name)) ledger_schema_ = {};
    }
}

bool soci_store::has_ledger() {
    require_table();
    if (ledger_schema_.columns.empty()) learn_ledger();
    return !ledger_schema_.columns.empty();
}

// Rows are locked before they are filed, so that what is filed is exactly what this transaction then changes.
std::size_t soci_store::settle_failed(std::span<const settlement* const> rows) {
    if (ledger_schema_.columns.empty()) return settle_undelivered(rows, true);
    batch_document batch;
    for (const auto* row : rows) batch.row().text(row->id);
    const auto json = batch.json();
    const auto text = [&](const char* name) {
        return schema_.has(name) ? dialect_->text(name, column(name)) : std::string("NULL");
    };
    std::map<std::string, failure, std::less<>> locked;
    session_.query(fmt::format("SELECT id, {}, {} FROM {} {} WHERE {} = 0 AND {}{}", text("headers"),
                               text("properties"), table_, by_id_, dialect_->beside_indexes("status"),
                               dialect_->among("batch", column("id")), dialect_->locking()),
                   3, std::array<sql_value, 1>{json}, [&](const sql_row& row) {
                       locked[row.text(1).value_or("")] = {nullptr, as_json(row.text(2)), as_json(row.text(3))};
                   });
    std::vector<const settlement*> ours;
    std::vector<failure> fitting, others;
    // An id that does not fit is kept cut for people, but never where a retry would take it for another message's.
    const auto room = dialect_->room_in(in_ledger("message_id"));
    for (const auto* row : rows) {
        const auto found = locked.find(row->id);
        if (found == locked.end()) continue;
        ours.push_back(row);
        auto& one = (fitting_text(row->id, room) == row->id ? fitting : others).emplace_back(std::move(found->second));
        one.row = row;
    }
    if (!fitting.empty()) file_alike(fitting, true);
    if (!others.empty()) file_alike(others, false);
    return ours.empty() ? 0 : settle_undelivered(ours, true);
}

// What the ledger refuses leaves the transaction as it was: the rows are settled all the same, with the reason in
// last_error and in what unfiled() says.
void soci_store::file_alike(std::span<const failure> rows, bool id_fits) {
    try {
        // Where the column makes no ids, somebody else may take the same at the same time.
        retrying<store_duplicate>([&] { session_.attempt([&] { insert_into_ledger(rows, id_fits); }); });
    } catch (const store_error& error) {
        if (rows.size() == 1)
            unfiled_ = fmt::format("message '{}': {}", rows.front().row->id, error.what());
        else  // the fault may be one row's
            for (std::size_t i = 0; i < rows.size(); ++i) file_alike(rows.subspan(i, 1), id_fits);
    }
}

// Where the column makes no ids: in the order of time, in microseconds, and after those that are there.
std::int64_t soci_store::free_ledger_id() {
    std::int64_t time = 0, last = 0;
    session_.query(fmt::format("SELECT {}, COALESCE(MAX(id), 0) FROM {}", now_, ledger_), 2, {},
                   [&](const sql_row& row) {
                       time = row.number(1).value_or(0) * 1000;
                       last = row.number(2).value_or(0);
                   });
    return std::max(time, last) + random_step();
}

// From table to table within the database, so that a body costs nothing here.
void soci_store::insert_into_ledger(std::span<const failure> rows, bool id_fits) {
    std::vector<std::string> columns, values;
    const auto put = [&](const char* name, const std::string& value) {
        if (!ledger_schema_.has(name)) return;
        columns.emplace_back(name);
        values.push_back(value);
    };
    const auto put_text = [&](const char* name, const std::string& value, const table_column& from) {
        if (ledger_schema_.has(name)) put(name, dialect_->converted(value, from, in_ledger(name)));
    };
    table_column any_text;
    any_text.type = "text";
    const auto put_column = [&](const char* name, const std::string& from) {
        if (schema_.has(from)) put_text(name, "m." + from, column(from));
    };

    const std::array fields = {batch_field{"id", kind::id}, batch_field{"entry", kind::number},
                               batch_field{"reason", kind::text}, batch_field{"headers", kind::text},
                               batch_field{"properties", kind::text}};
    const bool makes_ids = in_ledger("id").numbers_itself;
    std::int64_t entry = makes_ids ? 0 : free_ledger_id();
    const auto room = dialect_->room_in(in_ledger("ex_content"));
    batch_document batch;
    for (const auto& one : rows) {
        batch.row().text(one.row->id).number(entry++).text(fitting_text(one.row->error, room));
        one.headers ? batch.text(*one.headers) : batch.null();
        one.properties ? batch.text(*one.properties) : batch.null();
    }

    if (!makes_ids) put("id", "given.entry");
    put_column("custom_message_id", "id");
    if (id_fits || !in_ledger("message_id").nullable) put_column("message_id", "id");
    put_text("topic", "COALESCE(m.exchange, '')", column("exchange"));
    put_column("tags", "routing_key");
    put_column("message_key", "order_key");
    put("message_create_time", fmt::format("CASE WHEN m.create_time BETWEEN 0 AND 253402300799999 THEN {} END",
                                           dialect_->datetime("m.create_time / 1000")));
    put_text("headers", "given.headers", any_text);
    put_text("properties", "given.properties", any_text);
    put_column("payload", "msg");
    put_text("ex_content", "given.reason", any_text);
    put("fail_flag", dialect_->flag(false, in_ledger("fail_flag")));
    put("retry", "0");
    put("last_retry_status", dialect_->flag(false, in_ledger("last_retry_status")));
    put("source", fmt::format("'{}'", name_of(settings_.table)));
    put("create_time", now_);
    const auto json = batch.json();
    session_.execute(
        fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} AS m {}, {} AS given WHERE m.id = given.id AND "
                    "{} = 0",
                    ledger_, fmt::join(columns, ", "), fmt::join(values, ", "), table_, by_id_,
                    dialect_->rows_of("batch", fields, column("id")), dialect_->beside_indexes("m.status")),
        std::array<sql_value, 1>{json});
}

std::optional<std::string> soci_store::payload(std::int64_t entry) {
    std::optional<std::string> found;
    if (!has_ledger()) return found;
    const auto& is = in_ledger("payload");
    session_.query(
        fmt::format("SELECT {} FROM {} WHERE id = :entry{}", dialect_->text("payload", is), ledger_, of_this_table()),
        1, std::array<sql_value, 1>{entry},
        [&](const sql_row& row) { found = dialect_->body(row.text(1).value_or(""), is); });
    return found;
}

ledger_retry soci_store::retry_entry(std::int64_t entry) {
    if (!has_ledger()) return ledger_retry::no_entry;
    auto outcome = ledger_retry::no_entry;
    const std::array<sql_value, 1> which = {entry};
    const auto work = [&] {
        outcome = ledger_retry::no_entry;
        std::optional<std::string> id;
        session_.query(fmt::format("SELECT {}, message_id FROM {} WHERE id = :entry{}{}",
                                   dialect_->number_of_flag("fail_flag", in_ledger("fail_flag")), ledger_,
                                   of_this_table(), dialect_->locking()),
                       2, which, [&](const sql_row& row) {
                           outcome = row.number(1).value_or(0) == 0 ? ledger_retry::gone : ledger_retry::consumers;
                           id = row.text(2);
                       });
        if (outcome != ledger_retry::gone) return;
        if (id) {
            const std::array<sql_value, 1> message = {*id};
            const auto given = dialect_->given_id("id", column("id"));
            const auto changed =
                session_.execute(fmt::format("UPDATE {} {} SET {} WHERE {} = 2 AND id = {}", table_, by_id_,
                                             delivering_again(), dialect_->beside_indexes("status"), given),
                                 message);
            if (changed > 0) outcome = ledger_retry::done;
            if (outcome == ledger_retry::gone)
                session_.query(fmt::format("SELECT id FROM {} {} WHERE id = {}", table_, by_id_, given), 1, message,
                               [&](const sql_row&) { outcome = ledger_retry::not_failed; });
        }
        session_.execute(fmt::format("UPDATE {} SET retry = CASE WHEN retry < {} THEN retry + 1 ELSE retry END, "
                                     "last_retry_status = {}{} WHERE id = :entry",
                                     ledger_, largest_of(in_ledger("retry").type),
                                     dialect_->flag(outcome == ledger_retry::done, in_ledger("last_retry_status")),
                                     ledger_schema_.has("retry_time") ? fmt::format(", retry_time = {}", now_) : ""),
                         which);
    };
    retrying_deadlocks([&] { session_.transaction(work); });
    return outcome;
}

}  // namespace outbox
