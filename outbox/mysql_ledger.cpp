#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <set>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

// Fewer than elsewhere, as bodies are copied here.
constexpr std::size_t filed_per_statement = 64;

// A table of that name without these is not the ledger.
constexpr std::array needed = {"id", "message_id", "payload", "ex_content", "fail_flag", "retry", "last_retry_status"};

bool is_long(const mysql_column& column) {
    return column.type == "longtext" || column.type == "longblob" || column.type == "json";
}

// An expression for text or bytes, as what a column of the ledger can take.
std::string cut(const std::string& value, const mysql_column& column) {
    if (is_long(column)) return value;
    const auto room = room_in(column);
    if (column.charset.empty()) return fmt::format("LEFT(CAST({} AS BINARY), {})", value, room.characters);
    auto text = fmt::format("CONVERT({} USING utf8mb4)", value);
    // A strict MariaDB refuses what the column's charset has no character for, instead of making it a "?".
    if (room.widest < 4)
        text = fmt::format("CONVERT(REGEXP_REPLACE({}, '[^\\\\x{{0}}-\\\\x{{{}}}]', '?') USING {})", text,
                           room.widest == 3 ? "FFFF" : "7F", column.charset);
    // The length of text types is in bytes.
    return fmt::format("LEFT({}, {})", text,
                       column.type.ends_with("text") ? room.characters / room.widest : room.characters);
}

}  // namespace

void mysql_store::learn_ledger() {
    ledger_schema_ = read_mysql_schema(session_, beside(settings_.table, "sys_mq_fail"));
    for (const auto* name : needed) {
        if (!ledger_schema_.has(name)) ledger_schema_ = {};
    }
}

bool mysql_store::has_ledger() {
    require_table();
    if (ledger_schema_.columns.empty()) learn_ledger();
    return !ledger_schema_.columns.empty();
}

// Rows are locked before they are filed, so that what is filed is exactly what this transaction then changes.
std::size_t mysql_store::settle_failed(std::span<const settlement* const> rows) {
    if (ledger_schema_.columns.empty()) return settle_undelivered(rows, true);
    std::vector<mysql_value> args;
    for (const auto* row : rows) args.emplace_back(row->id);
    args.resize(padded(args.size()), args.back());
    std::set<std::string, std::less<>> locked;
    session_.query(fmt::format("SELECT id FROM {} {} WHERE status = 0 AND id IN ({}) FOR UPDATE", table_, id_index_,
                               question_marks(args.size())),
                   args, [&](const mysql_row& row) { locked.insert(row.text(1).value_or("")); });

    std::vector<const settlement*> ours;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(ours),
                 [&](const settlement* row) { return locked.contains(row->id); });
    if (ours.empty()) return 0;
    file(ours);
    return settle_undelivered(ours, true);
}

void mysql_store::file(std::span<const settlement* const> rows) {
    // An id that does not fit is kept cut for people, but never where a retry would take it for another message's.
    const auto room = room_in(ledger_schema_.columns["message_id"]);
    std::vector<const settlement*> fitting, others;
    for (const auto* row : rows) (fitting_text(row->id, room) == row->id ? fitting : others).push_back(row);
    in_chunks(std::span(fitting), filed_per_statement, [&](auto some) { file_alike(some, true); });
    in_chunks(std::span(others), filed_per_statement, [&](auto some) { file_alike(some, false); });
}

// A statement that the ledger refuses leaves the transaction as it was: the rows are settled all the same, with the
// reason in last_error and in what unfiled() says.
void mysql_store::file_alike(std::span<const settlement* const> rows, bool id_fits) {
    try {
        // Where the column makes no ids, somebody else may take the same at the same time.
        retrying<store_duplicate>([&] { insert_into_ledger(rows, id_fits); });
    } catch (const store_error& error) {
        if (rows.size() == 1)
            unfiled_ = error.what();
        else  // the fault may be one row's
            for (std::size_t i = 0; i < rows.size(); ++i) file_alike(rows.subspan(i, 1), id_fits);
    }
}

// Where the column makes no ids: in the order of time, in microseconds, and after those that are there; after these by
// a step that two who look at the same time hardly share.
std::int64_t mysql_store::free_ledger_id() {
    std::int64_t id = 0;
    session_.query(fmt::format("SELECT GREATEST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)), "
                               "COALESCE(MAX(id), 0) + CAST(1 + FLOOR(RAND() * 1000) AS SIGNED)) FROM {}",
                               ledger_),
                   {}, [&](const mysql_row& row) { id = row.number(1).value_or(0); });
    return id;
}

// From table to table within the server, so that a body costs nothing here.
void mysql_store::insert_into_ledger(std::span<const settlement* const> rows, bool id_fits) {
    const auto& into = ledger_schema_.columns;
    const auto count = padded(rows.size());
    const auto row = [&](std::size_t i) -> const settlement& { return *rows[std::min(i, rows.size() - 1)]; };
    std::vector<std::string> columns, values, reasons;
    std::vector<mysql_value> args;  // in the order of `values`; refer to `reasons`
    const auto put = [&](const char* column, const std::string& value) {
        if (!ledger_schema_.has(column)) return;
        columns.push_back(fmt::format("`{}`", column));
        values.push_back(value);
    };
    const auto put_text = [&](const char* column, const std::string& value) {
        if (ledger_schema_.has(column)) put(column, cut(value, into.at(column)));
    };
    // What an application wrote into a text column need not be JSON, and must not be refused for it.
    const auto put_json = [&](const char* column) {
        const auto text = fmt::format("CONVERT({} USING utf8mb4)", schema_.selected(column));
        put_text(column, fmt::format("IF(JSON_VALID({0}), {0}, JSON_QUOTE({0}))", text));
    };
    const auto put_each = [&](const char* column, const char* marker, auto&& value_of) {
        std::string by_row = "CASE id";
        for (std::size_t i = 0; i < count; ++i) {
            by_row += fmt::format(" WHEN ? THEN {}", marker);
            args.emplace_back(row(i).id);
            args.emplace_back(value_of(i));
        }
        put(column, by_row + " END");
    };

    if (!into.at("id").numbers_itself)
        put_each("id", "CAST(? AS SIGNED)",
                 [&, first = free_ledger_id()](std::size_t i) { return first + static_cast<std::int64_t>(i); });
    put_text("custom_message_id", "id");
    if (id_fits || !into.at("message_id").nullable) put_text("message_id", "id");
    put_text("topic", "COALESCE(`exchange`, '')");
    put_text("tags", "routing_key");
    put_text("message_key", schema_.selected("order_key"));
    // Not FROM_UNIXTIME, which ends in 2038 on some servers and thinks in the session's time zone.
    put("message_create_time",
        "IF(create_time BETWEEN 0 AND 253402300799999, TIMESTAMP'1970-01-01 00:00:00' + "
        "INTERVAL (create_time DIV 1000) SECOND, NULL)");
    put_json("headers");
    put_json("properties");
    put_text("payload", body_);
    reasons.reserve(count);
    put_each("ex_content", "?", [&, room = room_in(into.at("ex_content"))](std::size_t i) -> std::string_view {
        return reasons.emplace_back(fitting_text(row(i).error, room));
    });
    for (const char* column : {"fail_flag", "retry", "last_retry_status"}) put(column, "0");
    put_text("source", fmt::format("'{}'", name_of(settings_.table)));
    put("create_time", std::string(mysql_now));

    for (std::size_t i = 0; i < count; ++i) args.emplace_back(row(i).id);
    session_.execute(
        fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} {} WHERE status = 0 AND id IN ({})", ledger_,
                    fmt::join(columns, ", "), fmt::join(values, ", "), table_, id_index_, question_marks(count)),
        args);
}

std::optional<std::string> mysql_store::payload(std::int64_t entry) {
    std::optional<std::string> found;
    if (!has_ledger()) return found;
    session_.query(fmt::format("SELECT payload FROM {} WHERE id = ?{}", ledger_, of_this_table()),
                   std::array<mysql_value, 1>{entry}, [&](const mysql_row& row) { found = row.text(1).value_or(""); });
    return found;
}

ledger_retry mysql_store::retry_entry(std::int64_t entry) {
    if (!has_ledger()) return ledger_retry::no_entry;
    auto outcome = ledger_retry::no_entry;
    const std::array<mysql_value, 1> which = {entry};
    const auto work = [&] {
        outcome = ledger_retry::no_entry;
        std::optional<std::string> id;
        session_.query(
            fmt::format("SELECT fail_flag + 0, message_id FROM {} WHERE id = ?{} FOR UPDATE", ledger_, of_this_table()),
            which, [&](const mysql_row& row) {
                outcome = row.number(1).value_or(0) == 0 ? ledger_retry::gone : ledger_retry::consumers;
                id = row.text(2);
            });
        if (outcome != ledger_retry::gone) return;
        if (id) {
            const std::array<mysql_value, 1> message = {*id};
            const auto changed = session_.execute(
                fmt::format("UPDATE {} {} SET {} WHERE status = 2 AND id = ?", table_, id_index_, delivering_again()),
                message);
            if (changed > 0) outcome = ledger_retry::done;
            if (outcome == ledger_retry::gone)
                session_.query(fmt::format("SELECT id FROM {} WHERE id = ?", table_), message,
                               [&](const mysql_row&) { outcome = ledger_retry::not_failed; });
        }
        const auto most = largest_of(ledger_schema_.columns.at("retry").type);
        session_.execute(
            fmt::format("UPDATE {} SET retry = IF(retry < {}, retry + 1, retry), last_retry_status = {}{} WHERE id = ?",
                        ledger_, most, outcome == ledger_retry::done ? 1 : 0,
                        ledger_schema_.has("retry_time") ? fmt::format(", retry_time = {}", mysql_now) : ""),
            which);
    };
    retrying_deadlocks([&] { session_.transaction(work); });
    return outcome;
}

}  // namespace outbox
