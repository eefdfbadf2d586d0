#include "outbox/mysql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

// Larger bodies are fetched one by one, so that a page's size in memory is bounded.
constexpr std::int64_t inline_body = 16 * 1024;

const std::string now(mysql_now);

void refuse_undelivered(status of) {
    if (of == status::delivering) throw std::invalid_argument("rows that are to be delivered are never purged");
}

}  // namespace

mysql_store::mysql_store(const conf::database& settings, const store_options& options)
    : settings_(settings),
      options_(options),
      table_(quoted_table(settings.table)),
      lane_table_(quoted_table(beside(settings.table, "msg_lane"))),
      lanes_of_(name_of(settings.table)),
      ledger_(quoted_table(beside(settings.table, "sys_mq_fail"))),
      session_(settings, options.role) {
    session_.on_connect([this] {
        may_look_at_server_ = true;
        learn_schema();
    });
}

void mysql_store::learn_schema() {
    learn_ledger();
    schema_ = read_mysql_schema(session_, settings_.table);
    if (!schema_.missing().empty()) return;  // an administrator may still work; the relay may not: require_table()

    // The size counts as it is sent: text of another charset takes more or less in UTF-8.
    const auto& charset = schema_.columns["msg"].charset;
    const bool as_stored = charset.empty() || charset.starts_with("utf8") || charset == "ascii";
    body_ = as_stored ? schema_.selected("msg") : "CONVERT(msg USING utf8mb4)";
    body_size_ = fmt::format("OCTET_LENGTH({})", body_);
    select_list_ = fmt::format(
        "id, IF({1} > {2}, NULL, {0}), {1}, `exchange`, routing_key, try_count, next_try_time, create_time, "
        "update_time, {3}, {4}, {5}",
        schema_.selected("msg"), body_size_, inline_body, schema_.selected("headers"), schema_.selected("properties"),
        schema_.selected("order_key"));

    lane_key_ = schema_.has("order_key") ? "COALESCE(order_key, id)" : "id";
    // The optimizer's guess is no better and can be much worse, as its statistics always lag behind a queue.
    const auto force = [&](const std::vector<std::string>& columns) {
        const auto name = schema_.index_on(columns);
        return name.empty() ? std::string() : fmt::format("FORCE INDEX (`{}`)", name);
    };
    id_index_ = schema_.indexes.count("PRIMARY") > 0 && schema_.indexes["PRIMARY"].front() == "id"
                    ? "FORCE INDEX (PRIMARY)"
                    : force({"id"});
    due_index_ = force({"status", "next_try_time"});
    purge_index_ = force({"status", "update_time"});
    max_tries_ = largest_of(schema_.columns["try_count"].type);
    error_room_ = schema_.has("last_error") ? room_in(schema_.columns["last_error"]) : text_room{};
}

void mysql_store::require_table() {
    session_.server_version();  // connects, and so learns the schema, if need be
    // Somebody may have altered the table: dropped the index that a statement names, or a column.
    if (const auto refusals = session_.refusals(); refusals != refusals_seen_) {
        refusals_seen_ = refusals;
        learn_schema();
    }
    if (const auto missing = schema_.missing(); missing.size() == 9) {
        learn_schema();  // it may have come since
        if (schema_.columns.empty())
            throw store_error(
                fmt::format("there is no table {} in database `{}`, or no right to read it: run `migrate`", table_,
                            session_.database()));
    } else if (!missing.empty()) {
        learn_schema();
        if (!schema_.missing().empty())
            throw store_error(fmt::format("table {} lacks the column(s) {}", table_, fmt::join(missing, ", ")));
    }
}

// `rest` is what follows the conditions that all rows have in common.
void mysql_store::read_rows(const std::string& by_index, const std::string& rest, std::span<const mysql_value> args,
                            std::size_t limit, const lane_set& of, page& into) {
    std::vector<mysql_value> all(args.begin(), args.end());
    all.emplace_back(static_cast<std::int64_t>(limit));
    const auto lane = fmt::format("CRC32({}) % {}", lane_key_, of.lanes);
    const auto in_lanes = of.lanes == 1 ? std::string() : fmt::format("{} IN ({}) AND ", lane, fmt::join(of.held, ","));
    session_.query(fmt::format("SELECT {}, {} FROM {} {} WHERE status = 0 AND {}{} LIMIT ?", select_list_,
                               of.lanes == 1 ? "0" : lane, table_, by_index, in_lanes, rest),
                   all, [&](const mysql_row& row) {
                       message& m = into.rows.emplace_back();
                       m.id = row.text(1).value_or("");
                       auto body = row.text(2);
                       m.body_size = static_cast<std::uint64_t>(row.number(3).value_or(0));
                       m.body_left_out = !body && m.body_size > 0;
                       if (body) m.body = std::move(*body);
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

page mysql_store::due(const position& after, std::size_t limit, const lane_set& of) {
    require_table();
    page result;
    if (of.lanes > 1 && of.held.empty()) return result;
    const auto read = [&](const std::string& rest, std::span<const mysql_value> args) {
        read_rows(due_index_, rest, args, limit - result.rows.size(), of, result);
    };
    const auto room = [&] { return limit - result.rows.size(); };
    // Several plain ranges of the index instead of one condition with OR, which the optimizer may answer by walking
    // all rows of one time again for every page.
    if (!after.time) {
        if (!after.id) {
            // A server that has become a replica would show rows as due that its successor has settled.
            bool read_only = false;
            session_.query(fmt::format("SELECT {}, @@global.read_only OR @@global.innodb_read_only", now), {},
                           [&](const mysql_row& row) {
                               result.now = row.number(1);
                               read_only = row.number(2).value_or(0) != 0;
                           });
            if (read_only) {
                session_.disconnect();
                throw store_unavailable("the server is read-only: it may have become a replica");
            }
        }
        if (schema_.columns["next_try_time"].nullable) {
            if (after.id)
                read("next_try_time IS NULL AND id > ? ORDER BY id", std::array<mysql_value, 1>{*after.id});
            else
                read("next_try_time IS NULL ORDER BY id", {});
        }
        if (room() > 0) read(fmt::format("next_try_time <= {} ORDER BY next_try_time, id", now), {});
    } else if (after.id) {
        read(fmt::format("next_try_time = ? AND next_try_time <= {} AND id > ? ORDER BY id", now),
             std::array<mysql_value, 2>{*after.time, *after.id});
        if (room() > 0)
            read(fmt::format("next_try_time > ? AND next_try_time <= {} ORDER BY next_try_time, id", now),
                 std::array<mysql_value, 1>{*after.time});
    } else {
        read(fmt::format("next_try_time >= ? AND next_try_time <= {} ORDER BY next_try_time, id", now),
             std::array<mysql_value, 1>{*after.time});
    }
    result.complete = room() > 0;
    result.next = result.rows.empty() ? after : position{result.rows.back().next_try_time, result.rows.back().id};
    return result;
}

bool mysql_store::load_body(message& row) {
    require_table();
    bool found = false;
    session_.query(fmt::format("SELECT {} FROM {} WHERE id = ? AND status = 0", schema_.selected("msg"), table_),
                   std::array<mysql_value, 1>{row.id}, [&](const mysql_row& result) {
                       row.body = result.text(1).value_or("");
                       row.body_size = row.body.size();
                       row.body_left_out = false;
                       found = true;
                   });
    return found;
}

std::size_t mysql_store::settle(std::span<const settlement> batch) {
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
        in_chunks(std::span(delivered), rows_per_statement, [&](auto rows) { changed += settle_delivered(rows); });
        in_chunks(std::span(retry), rows_per_statement, [&](auto rows) { changed += settle_undelivered(rows, false); });
        in_chunks(std::span(failed), rows_per_statement, [&](auto rows) { changed += settle_failed(rows); });
        if (!parked.empty()) changed += settle_parked(parked);
    };
    // The usual batch is one statement, which commits by itself.
    const bool single = delivered.size() == batch.size() && batch.size() <= rows_per_statement;
    retrying_deadlocks([&] { single ? all() : session_.transaction(all); });
    return changed;
}

std::size_t mysql_store::settle_delivered(std::span<const settlement* const> rows) {
    std::vector<mysql_value> ids;
    for (const auto* row : rows) ids.emplace_back(row->id);
    ids.resize(padded(ids.size()), ids.back());
    // By the primary key, or the statement would lock its way through the index of due rows, where applications insert.
    const std::string where = fmt::format("WHERE status = 0 AND id IN ({})", question_marks(ids.size()));
    if (options_.after_delivery == conf::after_delivery::remove)
        return session_.execute(fmt::format("DELETE {0} FROM {0} {1} {2}", table_, id_index_, where), ids);
    return session_.execute(
        fmt::format("UPDATE {} {} SET status = 1, update_time = {} {}", table_, id_index_, now, where), ids);
}

std::size_t mysql_store::settle_undelivered(std::span<const settlement* const> rows, bool final) {
    const std::size_t count = padded(rows.size());
    const auto row = [&](std::size_t i) -> const settlement& { return *rows[std::min(i, rows.size() - 1)]; };
    std::vector<mysql_value> args;
    std::vector<std::string> errors;  // args refer to them
    std::string set = final ? "status = 2" : "status = 0";
    constexpr auto number = "CAST(? AS SIGNED)";  // or MySQL takes the branches of CASE for texts
    // Absolute values, not increments: settling twice, because the first reply was lost, leaves the same row.
    const auto assign = [&](const std::string& column, const std::string& before, const char* type, auto&& value) {
        set += fmt::format(", {} = {}CASE id", column, before);
        for (std::size_t i = 0; i < count; ++i) {
            set += fmt::format(" WHEN ? THEN {}", type);
            args.emplace_back(row(i).id);
            args.emplace_back(value(row(i)));
        }
        set += " END";
    };
    assign("try_count", "", number, [&](const settlement& s) { return std::min(s.try_count, max_tries_); });
    if (!final)
        assign("next_try_time", now + " + ", number, [](const settlement& s) { return std::int64_t{s.delay.count()}; });
    if (error_room_.characters > 0) {
        errors.reserve(count);
        assign("last_error", "", "?", [&](const settlement& s) -> std::string_view {
            return errors.emplace_back(fitting_text(s.error, error_room_));
        });
    }
    for (std::size_t i = 0; i < count; ++i) args.emplace_back(row(i).id);
    return session_.execute(fmt::format("UPDATE {} {} SET {}, update_time = {} WHERE status = 0 AND "
                                        "id IN ({})",
                                        table_, id_index_, set, now, question_marks(count)),
                            args);
}

std::size_t mysql_store::purge(status of, std::chrono::milliseconds age, std::size_t limit) {
    refuse_undelivered(of);
    require_table();
    // Found without locks, then deleted by primary key: an index scan that locks would stand in the way of settling.
    std::vector<std::string> ids;
    const auto find = [&](const std::string& condition) {
        const std::array<mysql_value, 3> args = {static_cast<std::int64_t>(of), std::int64_t{age.count()},
                                                 static_cast<std::int64_t>(limit - ids.size())};
        session_.query(fmt::format("SELECT id FROM {} {} WHERE status = ? AND {} < {} - ? LIMIT ?", table_,
                                   purge_index_, condition, now),
                       args, [&](const mysql_row& row) { ids.push_back(row.text(1).value_or("")); });
    };
    find("update_time");
    if (ids.size() < limit) find("update_time IS NULL AND create_time");
    return change_ids(fmt::format("DELETE {0} FROM {0} {1}", table_, id_index_),
                      fmt::format("status = {}", static_cast<int>(of)), ids);
}

std::size_t mysql_store::change_ids(const std::string& change, const std::string& condition,
                                    std::span<const std::string> ids) {
    std::size_t changed = 0;
    in_chunks(ids, rows_per_statement, [&](auto some) {
        std::vector<mysql_value> args(some.begin(), some.end());
        args.resize(padded(args.size()), args.back());
        const auto sql = fmt::format("{} WHERE {} AND id IN ({})", change, condition, question_marks(args.size()));
        changed += retrying_deadlocks([&] { return session_.execute(sql, args); });
    });
    return changed;
}

std::uint64_t mysql_store::purgeable(status of, std::chrono::milliseconds age) {
    refuse_undelivered(of);
    require_table();
    std::uint64_t count = 0;
    for (const char* condition : {"update_time", "update_time IS NULL AND create_time"}) {
        const std::array<mysql_value, 2> args = {static_cast<std::int64_t>(of), std::int64_t{age.count()}};
        session_.query(fmt::format("SELECT COUNT(*) FROM {} {} WHERE status = ? AND {} < {} - ?", table_, purge_index_,
                                   condition, now),
                       args,
                       [&](const mysql_row& row) { count += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    }
    return count;
}

}  // namespace outbox
