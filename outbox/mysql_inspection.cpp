#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

// The conditions of a filter but for the status, and their arguments.
struct conditions {
    std::string sql;
    std::vector<mysql_value> args;

    explicit conditions(const message_filter& filter) {
        const auto text = [&](const std::string& condition, std::string_view bytes) {
            sql += " AND " + condition;
            args.emplace_back(texts_.emplace_back(hex(bytes)));
        };
        if (filter.exchange) text(as_bytes("`exchange`") + " = UNHEX(?)", *filter.exchange);
        if (filter.routing_key) text(as_bytes("routing_key") + " = UNHEX(?)", *filter.routing_key);
        if (!filter.id_prefix.empty())
            text(fmt::format("LEFT({}, {}) = UNHEX(?)", as_bytes("id"), filter.id_prefix.size()), filter.id_prefix);
        if (!filter.error.empty()) text(fmt::format("LOCATE(UNHEX(?), {}) > 0", as_bytes("last_error")), filter.error);
        const auto time = [&](const char* condition, const std::optional<epoch_ms>& limit) {
            if (!limit) return;
            sql += condition;
            args.emplace_back(*limit);
        };
        time(" AND update_time >= ?", filter.since);
        time(" AND update_time < ?", filter.before);
    }
    conditions(const conditions&) = delete;  // args refer to texts_

  private:
    std::deque<std::string> texts_;
};

// Of the columns that both list() and show() select first.
summary to_summary(const mysql_row& row) {
    summary one;
    one.id = row.text(1).value_or("");
    one.status = static_cast<int>(row.number(2).value_or(-1));
    one.exchange = row.text(3).value_or("");
    one.routing_key = row.text(4).value_or("");
    one.try_count = row.number(5).value_or(0);
    one.next_try_time = row.number(6);
    one.create_time = row.number(7);
    one.update_time = row.number(8);
    one.order_key = row.text(9);
    one.last_error = row.text(10);
    one.body_size = static_cast<std::uint64_t>(row.number(11).value_or(0));
    return one;
}

std::vector<int> statuses_of(const message_filter& filter) {
    if (filter.status) return {*filter.status};
    return {0, 1, 2, 3};
}

}  // namespace

epoch_ms mysql_store::clock() {
    epoch_ms time = 0;
    session_.query(fmt::format("SELECT {}", mysql_now), {},
                   [&](const mysql_row& row) { time = row.number(1).value_or(0); });
    return time;
}

// Of each status a range of the index, merged by the server, which alone knows how it compares ids.
void mysql_store::list_rows(const message_filter& filter, const std::string& range,
                            std::span<const mysql_value> range_args, const std::string& order, std::size_t limit,
                            bool sizes, std::vector<summary>& into) {
    const conditions rest(filter);
    const auto cut = fmt::format("ORDER BY {} LIMIT {}", order, limit);
    std::vector<std::string> parts;
    std::vector<mysql_value> args;
    for (const int status : statuses_of(filter)) {
        parts.push_back(fmt::format(
            "SELECT id, status, `exchange`, routing_key, try_count, next_try_time, create_time, update_time, "
            "{} AS order_key, {} AS last_error, {} AS body_size FROM {} {} WHERE status = {} AND {}{} {}",
            schema_.selected("order_key"), schema_.selected("last_error"), sizes ? body_size_ : "0", table_,
            purge_index_, status, range, rest.sql, cut));
        args.insert(args.end(), range_args.begin(), range_args.end());
        args.insert(args.end(), rest.args.begin(), rest.args.end());
    }
    const auto sql = parts.size() == 1 ? parts.front() : fmt::format("({}) {}", fmt::join(parts, ") UNION ALL ("), cut);
    session_.query(sql, args, [&](const mysql_row& row) { into.push_back(to_summary(row)); });
}

listing mysql_store::list(const message_filter& filter, const std::optional<list_place>& after, std::size_t limit,
                          bool sizes) {
    require_table();
    listing result;
    if (!filter.error.empty() && !schema_.has("last_error")) return result;
    limit = std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max());
    const auto wanted = limit + 1;  // whether there is a next page
    const auto read = [&](const std::string& range, std::span<const mysql_value> args, const std::string& order) {
        if (result.rows.size() < wanted)
            list_rows(filter, range, args, order, wanted - result.rows.size(), sizes, result.rows);
    };
    // Several plain ranges of the index instead of one condition with OR, as for due rows; and within one time an order
    // by id alone, as not every server sees that the time says nothing there.
    const std::string by_time = "update_time DESC, id DESC", by_id = "id DESC";
    if (!after) {
        read("update_time IS NOT NULL", {}, by_time);
    } else if (after->update_time) {
        read("update_time = ? AND id < ?", std::array<mysql_value, 2>{*after->update_time, after->id}, by_id);
        read("update_time < ?", std::array<mysql_value, 1>{*after->update_time}, by_time);
    }
    if (!filter.since && !filter.before && schema_.columns["update_time"].nullable) {
        if (after && !after->update_time)
            read("update_time IS NULL AND id < ?", std::array<mysql_value, 1>{after->id}, by_id);
        else
            read("update_time IS NULL", {}, by_id);
    }
    if (result.rows.size() > limit) {
        result.rows.resize(limit);
        if (limit > 0) result.next = list_place{result.rows.back().update_time, result.rows.back().id};
    }
    return result;
}

std::uint64_t mysql_store::count(const message_filter& filter, std::uint64_t at_most) {
    require_table();
    std::uint64_t count = 0;
    if (!filter.error.empty() && !schema_.has("last_error")) return count;
    const conditions rest(filter);
    for (const int status : statuses_of(filter)) {
        auto args = rest.args;
        args.emplace_back(static_cast<std::int64_t>(
            std::min<std::uint64_t>(at_most - count, std::numeric_limits<std::int64_t>::max())));
        session_.query(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = {}{} LIMIT ?) AS some",
                                   table_, purge_index_, status, rest.sql),
                       args,
                       [&](const mysql_row& row) { count += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    }
    return count;
}

std::optional<detail> mysql_store::show(const std::string& id, std::size_t body_bytes) {
    require_table();
    std::optional<detail> found;
    // Of text that many characters, which are no fewer bytes.
    const auto room = std::min<std::size_t>(body_bytes, std::numeric_limits<std::int32_t>::max());
    session_.query(
        fmt::format("SELECT id, status, `exchange`, routing_key, try_count, next_try_time, create_time, update_time, "
                    "{}, {}, {}, LEFT({}, ?), {}, {} FROM {} WHERE id = ?",
                    schema_.selected("order_key"), schema_.selected("last_error"), body_size_, body_,
                    schema_.selected("headers"), schema_.selected("properties"), table_),
        std::array<mysql_value, 2>{static_cast<std::int64_t>(room), id}, [&](const mysql_row& row) {
            found.emplace();
            found->what = to_summary(row);
            found->body = row.text(12).value_or("").substr(0, room);
            found->headers = row.text(13);
            found->properties = row.text(14);
        });
    return found;
}

std::string mysql_store::delivering_again() const {
    auto set = fmt::format("status = 0, try_count = 0, next_try_time = {0}, update_time = {0}", mysql_now);
    if (schema_.has("last_error"))
        set += schema_.columns.find("last_error")->second.nullable ? ", last_error = NULL" : ", last_error = ''";
    return set;
}

std::size_t mysql_store::retry(std::span<const std::string> ids, bool also_delivered) {
    require_table();
    return change_ids(fmt::format("UPDATE {} {} SET {}", table_, id_index_, delivering_again()),
                      also_delivered ? "status IN (1, 2)" : "status = 2", ids);
}

// What the column would keep of it otherwise is not what was meant, and a proxy may have lost the session's strictness.
void mysql_store::require_fitting(const char* name, const std::string& value) {
    if (!schema_.has(name))
        throw store_error(fmt::format("table {} has no column {}, which is to be changed", table_, name));
    const auto& column = schema_.columns[name];
    const auto room = room_in(column);
    const auto refuse = [&](const std::string& why) {
        throw store_error(fmt::format("what the column {} is to hold {}", name, why));
    };
    const bool binary = column.charset.empty() && column.type != "json";
    const auto most = binary ? room.characters : room.bytes;
    if (value.size() > most) refuse(fmt::format("has {} bytes, and it holds {}", value.size(), most));
    if (binary) return;
    if (!is_utf8(value)) refuse("is not UTF-8 text");
    const auto characters = static_cast<std::size_t>(std::count_if(
        value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (column.type != "json" && characters > room.characters)
        refuse(fmt::format("has {} characters, and it holds {}", characters, room.characters));
    if (room.widest == 4) return;
    const auto bytes = hex(value);
    bool same = true;
    session_.query(fmt::format("SELECT CONVERT(CONVERT(CONVERT(UNHEX(?) USING utf8mb4) USING {}) USING utf8mb4) = "
                               "CONVERT(UNHEX(?) USING utf8mb4) COLLATE utf8mb4_bin",
                               column.charset),
                   std::array<mysql_value, 2>{bytes, bytes},
                   [&](const mysql_row& row) { same = row.number(1).value_or(0) != 0; });
    if (!same) refuse(fmt::format("has characters that its charset, {}, has not", column.charset));
}

edit_outcome mysql_store::edit(const std::string& id, const message_changes& changes) {
    require_table();
    auto set = delivering_again();
    std::vector<mysql_value> args;
    const auto change = [&](const char* name, const std::optional<std::string>& value, bool may_be_none) {
        if (!value) return;
        const bool none = may_be_none && value->empty();
        if (!none) require_fitting(name, *value);
        const bool null = none && schema_.has(name) && schema_.columns[name].nullable;
        if (none && !null) require_fitting(name, "");
        set += fmt::format(", `{}` = {}", name, null ? "NULL" : "?");
        if (!null) args.emplace_back(*value);
    };
    change("exchange", changes.exchange, false);
    change("routing_key", changes.routing_key, false);
    change("headers", changes.headers, true);
    change("properties", changes.properties, true);
    change("msg", changes.body, false);
    args.emplace_back(id);
    const auto sql = fmt::format("UPDATE {} {} SET {} WHERE status = 2 AND id = ?", table_, id_index_, set);
    if (retrying_deadlocks([&] { return session_.execute(sql, args); }) > 0) return edit_outcome::done;
    auto outcome = edit_outcome::gone;
    session_.query(fmt::format("SELECT id FROM {} WHERE id = ?", table_), std::array<mysql_value, 1>{id},
                   [&](const mysql_row&) { outcome = edit_outcome::not_failed; });
    return outcome;
}

std::size_t mysql_store::remove(std::span<const std::string> ids, bool also_undelivered) {
    require_table();
    return change_ids(fmt::format("DELETE {0} FROM {0} {1}", table_, id_index_),
                      also_undelivered ? "TRUE" : "status <> 0", ids);
}

}  // namespace outbox
