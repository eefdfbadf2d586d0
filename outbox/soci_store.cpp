#include "outbox/soci_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "outbox/batch_document.hpp"
#include "outbox/deadlock.hpp"
#include "outbox/order.hpp"
#include "outbox/soci_driver.hpp"

namespace outbox {
namespace {

// Larger bodies are fetched one by one, so that a page's size in memory is bounded.
constexpr std::int64_t inline_body = 16 * 1024;
constexpr unsigned due_columns = 13;

void refuse_undelivered(status of) {
    if (of == status::delivering) throw std::invalid_argument("rows that are to be delivered are never purged");
}

}  // namespace

soci_store::soci_store(const conf::database& settings, const store_options& options,
                       std::unique_ptr<soci_dialect> dialect)
    : settings_(settings),
      options_(options),
      dialect_(std::move(dialect)),
      table_(dialect_->quoted(settings.table)),
      lane_table_(dialect_->quoted(beside(settings.table, "msg_lane"))),
      lanes_of_(name_of(settings.table)),
      ledger_(dialect_->quoted(beside(settings.table, "sys_mq_fail"))),
      now_(dialect_->now()),
      session_(dialect_->make_driver()) {
    session_.on_connect([this] { learn_schema(); });
}

void soci_store::learn_schema() {
    learn_ledger();
    schema_ = dialect_->read_schema(session_, settings_.table);
    if (!schema_.missing().empty()) return;  // an administrator may still work; the relay may not: require_table()

    const auto text = [&](const std::string& name) -> std::string {
        return schema_.has(name) ? dialect_->text(name, column(name)) : "NULL";
    };
    const auto size = dialect_->size("msg", column("msg"));
    select_list_ = fmt::format(
        "id, CASE WHEN {1} > {2} THEN NULL ELSE {0} END, {1}, exchange, routing_key, try_count, next_try_time, "
        "create_time, update_time, {3}, {4}, {5}",
        text("msg"), size, inline_body, text("headers"), text("properties"), order_key());

    const auto& id = column("id");
    id_ = dialect_->ordered_id(id);
    told_apart_ = dialect_->told_apart(id);
    lane_key_ = schema_.has("order_key") ? fmt::format("COALESCE({}, {})", text("order_key"), text("id")) : text("id");
    by_due_ = dialect_->by_index(schema_, {"status", "next_try_time"});
    by_id_ = dialect_->by_index(schema_, {"id"});
    by_age_ = dialect_->by_index(schema_, {"status", "update_time"});
    by_order_ = dialect_->by_index(schema_, order_index());
    max_tries_ = largest_of(column("try_count").type);
    error_room_ = schema_.has("last_error") ? dialect_->room_in(column("last_error")) : text_room{};
}

void soci_store::require_table() {
    session_.connect();
    // Somebody may have altered the table: dropped the index that a statement names, or a column.
    if (const auto refusals = session_.refusals(); refusals != refusals_seen_) {
        refusals_seen_ = refusals;
        learn_schema();
    }
    if (schema_.missing().empty()) return;
    learn_schema();  // it may have come since
    if (schema_.columns.empty())
        throw store_error(fmt::format("there is no table {}, or no right to read it: run `migrate`", table_));
    if (const auto missing = schema_.missing(); !missing.empty())
        throw store_error(fmt::format("table {} lacks the column(s) {}", table_, fmt::join(missing, ", ")));
}

std::string soci_store::order_key() const {
    if (!schema_.has("order_key")) return "NULL";
    const auto& key = column("order_key");
    return options_.ordered ? dialect_->comparable("order_key", key) : dialect_->text("order_key", key);
}

// `rest` is what follows the conditions that all rows have in common.
std::string soci_store::due_statement(const std::string& by_index, const std::string& status, const std::string& rest,
                                      const lane_set& of) const {
    const bool all = of.lanes == 1;
    const auto lane = all ? std::string("0") : dialect_->lane(lane_key_, of.lanes);
    const auto in_lanes = all ? std::string() : fmt::format("{} IN ({}) AND ", lane, fmt::join(of.held, ","));
    return fmt::format("SELECT {}, {} FROM {} {} WHERE {} = 0 AND {} AND {}{} LIMIT :most", select_list_, lane, table_,
                       by_index, status, told_apart_, in_lanes, rest);
}

void soci_store::read_rows(const std::string& statement, std::span<const sql_value> args, std::size_t limit,
                           page& into) {
    std::vector<sql_value> all(args.begin(), args.end());
    all.emplace_back(static_cast<std::int64_t>(limit));
    session_.query(statement, due_columns, all, [&](const sql_row& row) {
        message& m = into.rows.emplace_back();
        m.id = row.text(1).value_or("");
        auto body = row.text(2);
        m.body_size = static_cast<std::uint64_t>(row.number(3).value_or(0));
        m.body_left_out = !body && m.body_size > 0;
        if (body) m.body = dialect_->body(std::move(*body), column("msg"));
        m.exchange = row.text(4).value_or("");
        m.routing_key = row.text(5).value_or("");
        m.try_count = row.number(6).value_or(0);
        m.next_try_time = row.number(7);
        m.create_time = row.number(8);
        m.update_time = row.number(9);
        m.headers = row.text(10);
        m.properties = row.text(11);
        m.order_key = row.text(12);
        m.lane = static_cast<unsigned>(row.number(13).value_or(0));
    });
}

page soci_store::due(const position& after, std::size_t limit, const lane_set& of) {
    require_table();
    page result;
    if (of.lanes > 1 && of.held.empty()) return result;
    const auto room = [&] { return limit - result.rows.size(); };
    const auto read = [&](const std::string& rest, std::span<const sql_value> args) {
        read_rows(due_statement(by_due_, "status", rest, of), args, room(), result);
    };
    const auto by_time = fmt::format("next_try_time <= {} ORDER BY next_try_time, {}", now_, id_);
    const auto beyond =
        fmt::format("{} > {} ORDER BY next_try_time, {}", id_, dialect_->given_id("id", column("id")), id_);
    // Several plain ranges of the index instead of one condition with OR, which a planner may answer by walking all
    // rows of one time again for every page.
    if (!after.time) {
        if (!after.id) {
            session_.query("SELECT " + now_, 1, {}, [&](const sql_row& row) { result.now = row.number(1); });
            dialect_->require_writable(session_);
        }
        if (column("next_try_time").nullable) {
            if (after.id)
                read("next_try_time IS NULL AND " + beyond, std::array<sql_value, 1>{*after.id});
            else
                read("next_try_time IS NULL ORDER BY next_try_time, " + id_, {});
        }
        if (room() > 0) read(by_time, {});
    } else if (after.id) {
        // The second condition is none for the index: SQLite would prefer it to the first.
        read(fmt::format("next_try_time = :time AND next_try_time + 0 <= {} AND {}", now_, beyond),
             std::array<sql_value, 2>{*after.time, *after.id});
        if (room() > 0) read("next_try_time > :time AND " + by_time, std::array<sql_value, 1>{*after.time});
    } else {
        read("next_try_time >= :time AND " + by_time, std::array<sql_value, 1>{*after.time});
    }
    result.complete = room() > 0;
    result.next = result.rows.empty() ? after : position{result.rows.back().next_try_time, result.rows.back().id};
    return result;
}

bool soci_store::load_body(message& row) {
    require_table();
    bool found = false;
    session_.query(
        fmt::format("SELECT {} FROM {} {} WHERE id = {} AND status = 0", dialect_->text("msg", column("msg")), table_,
                    by_id_, dialect_->given_id("id", column("id"))),
        1, std::array<sql_value, 1>{row.id}, [&](const sql_row& result) {
            row.body = dialect_->body(result.text(1).value_or(""), column("msg"));
            row.body_size = row.body.size();
            row.body_left_out = false;
            found = true;
        });
    return found;
}

std::size_t soci_store::settle(std::span<const settlement> batch) {
    require_table();
    std::vector<const settlement*> delivered, retry, failed, parked;
    for (const auto& one : batch) {
        switch (one.what) {
            case settlement::kind::delivered: delivered.push_back(&one); break;
            case settlement::kind::retry: retry.push_back(&one); break;
            case settlement::kind::failed: failed.push_back(&one); break;
            case settlement::kind::parked: parked.push_back(&one); break;
        }
    }
    std::size_t changed = 0;
    if (!failed.empty()) has_ledger();  // it may have come since
    const auto all = [&] {
        changed = 0;
        unfiled_.reset();
        if (!delivered.empty()) changed += settle_delivered(delivered);
        if (!retry.empty()) changed += settle_undelivered(retry, false);
        if (!failed.empty()) changed += settle_failed(failed);
        if (!parked.empty()) changed += settle_parked(parked);
    };
    if (!batch.empty()) retrying_deadlocks([&] { session_.transaction(all); });
    return changed;
}

// By the index on id, or the statement would walk through all rows that are due.
std::size_t soci_store::settle_delivered(std::span<const settlement* const> rows) {
    batch_document batch;
    for (const auto* row : rows) batch.row().text(row->id);
    const auto where =
        fmt::format("WHERE {} = 0 AND {}", dialect_->beside_indexes("status"), dialect_->among("batch", column("id")));
    const auto json = batch.json();
    const std::array<sql_value, 1> args = {json};
    if (options_.after_delivery == conf::after_delivery::remove)
        return session_.execute(fmt::format("DELETE FROM {} {} {}", table_, by_id_, where), args);
    return session_.execute(
        fmt::format("UPDATE {} {} SET status = 1, update_time = {} {}", table_, by_id_, now_, where), args);
}

// Absolute values, not increments: settling twice, because the first reply was lost, leaves the same row.
std::size_t soci_store::settle_undelivered(std::span<const settlement* const> rows, bool final) {
    const bool says_why = error_room_.characters > 0;
    using kind = batch_field::kind;
    std::vector<batch_field> fields = {{"id", kind::id}, {"try_count", kind::number}, {"delay", kind::number}};
    if (says_why) fields.push_back({"last_error", kind::text});
    batch_document batch;
    for (const auto* row : rows) {
        batch.row().text(row->id).number(std::min(row->try_count, max_tries_)).number(row->delay.count());
        if (says_why) batch.text(fitting_text(row->error, error_room_));
    }
    const auto json = batch.json();
    return session_.execute(
        fmt::format("UPDATE {} AS m {} SET status = {}, try_count = given.try_count, {}{}update_time = {} FROM {} AS "
                    "given WHERE m.id = given.id AND {} = 0",
                    table_, by_id_, final ? 2 : 0, final ? "" : fmt::format("next_try_time = {} + given.delay, ", now_),
                    says_why ? "last_error = given.last_error, " : "", now_,
                    dialect_->rows_of("batch", fields, column("id")), dialect_->beside_indexes("m.status")),
        std::array<sql_value, 1>{json});
}

std::string soci_store::purge_statement(const std::string& what, const std::string& time) const {
    return fmt::format("SELECT {} FROM {} {} WHERE status = :status AND {} < {} - :age", what, table_, by_age_, time,
                       now_);
}

std::size_t soci_store::purge(status of, std::chrono::milliseconds age, std::size_t limit) {
    refuse_undelivered(of);
    require_table();
    // Found without locks, then deleted by id: nobody waits for the search.
    std::vector<std::string> ids;
    const auto find = [&](const std::string& time) {
        const std::array<sql_value, 3> args = {static_cast<std::int64_t>(of), std::int64_t{age.count()},
                                               static_cast<std::int64_t>(limit - ids.size())};
        session_.query(purge_statement("id", fmt::format("{} AND {}", told_apart_, time)) + " LIMIT :most", 1, args,
                       [&](const sql_row& row) { ids.push_back(row.text(1).value_or("")); });
    };
    find("update_time");
    if (ids.size() < limit) find("update_time IS NULL AND create_time");
    return change_ids(fmt::format("DELETE FROM {} {}", table_, by_id_),
                      fmt::format("{} = {}", dialect_->beside_indexes("status"), static_cast<int>(of)), ids);
}

std::size_t soci_store::change_ids(const std::string& change, const std::string& condition,
                                   std::span<const std::string> ids) {
    if (ids.empty()) return 0;
    batch_document batch;
    for (const auto& id : ids) batch.row().text(id);
    const auto json = batch.json();
    const auto sql = fmt::format("{} WHERE {} AND {}", change, condition, dialect_->among("batch", column("id")));
    std::size_t changed = 0;
    const auto work = [&] { changed = session_.execute(sql, std::array<sql_value, 1>{json}); };
    retrying_deadlocks([&] { session_.transaction(work); });
    return changed;
}

std::uint64_t soci_store::purgeable(status of, std::chrono::milliseconds age) {
    refuse_undelivered(of);
    require_table();
    std::uint64_t count = 0;
    for (const char* time : {"update_time", "update_time IS NULL AND create_time"}) {
        const std::array<sql_value, 2> args = {static_cast<std::int64_t>(of), std::int64_t{age.count()}};
        session_.query(purge_statement("COUNT(*)", time), 1, args,
                       [&](const sql_row& row) { count += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    }
    return count;
}

}  // namespace outbox
