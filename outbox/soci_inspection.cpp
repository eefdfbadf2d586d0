#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "outbox/deadlock.hpp"
#include "outbox/soci_asking.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

constexpr unsigned summary_columns = 11;

// Of the columns that both list() and show() select first.
summary to_summary(const sql_row& row) {
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

// The conditions of a filter but for the status and the times. Bytes are compared, whatever the collation.
std::string soci_store::texts_match(const message_filter& filter, asking& to) const {
    std::string sql = " AND " + told_apart_;
    const auto bytes = [&](const char* name) { return dialect_->bytes("m." + std::string(name), column(name)); };
    const auto given = [&](std::string_view text) { return dialect_->given_bytes(to.hex(text)); };
    if (filter.exchange) sql += fmt::format(" AND {} = {}", bytes("exchange"), given(*filter.exchange));
    if (filter.routing_key) sql += fmt::format(" AND {} = {}", bytes("routing_key"), given(*filter.routing_key));
    if (!filter.id_prefix.empty())
        sql +=
            fmt::format(" AND substr({}, 1, {}) = {}", bytes("id"), filter.id_prefix.size(), given(filter.id_prefix));
    if (!filter.error.empty()) sql += " AND " + dialect_->contains(bytes("last_error"), given(filter.error));
    return sql;
}

// `by_index`: as the bounds of an index's range; otherwise beside it.
std::string soci_store::times_match(const message_filter& filter, bool by_index, asking& to) {
    const std::string time = by_index ? "update_time" : "update_time + 0";
    std::string sql;
    if (filter.since) sql += fmt::format(" AND {} >= {}", time, to.number(*filter.since));
    if (filter.before) sql += fmt::format(" AND {} < {}", time, to.number(*filter.before));
    return sql;
}

epoch_ms soci_store::clock() {
    epoch_ms time = 0;
    session_.query("SELECT " + now_, 1, {}, [&](const sql_row& row) { time = row.number(1).value_or(0); });
    return time;
}

std::string soci_store::summary_list(bool sizes) const {
    const auto text = [&](const char* name) {
        return schema_.has(name) ? dialect_->text("m." + std::string(name), column(name)) : std::string("NULL");
    };
    return fmt::format(
        "m.id, m.status, m.exchange, m.routing_key, m.try_count, m.next_try_time, m.create_time, "
        "m.update_time, {} AS order_key, {} AS last_error, {} AS body_size",
        text("order_key"), text("last_error"), sizes ? dialect_->size("m.msg", column("msg")) : "0");
}

// Of each status a range of the index, merged by the database. `range` makes the conditions for one of them.
void soci_store::list_rows(const message_filter& filter, const std::function<std::string(asking&)>& range,
                           std::size_t limit, bool sizes, std::vector<summary>& into) {
    const auto order = fmt::format("ORDER BY update_time DESC, {} DESC LIMIT {}", id_, limit);
    asking ask;
    std::vector<std::string> parts;
    for (const int status : statuses_of(filter)) {
        const auto condition = range(ask);
        parts.push_back(fmt::format("SELECT * FROM (SELECT {} FROM {} AS m {} WHERE status = {} AND {}{} {}) AS p{}",
                                    summary_list(sizes), table_, by_age_, status, condition, texts_match(filter, ask),
                                    order, parts.size()));
    }
    const auto sql = parts.size() == 1
                         ? parts.front()
                         : fmt::format("SELECT * FROM ({}) AS merged {}", fmt::join(parts, " UNION ALL "), order);
    session_.query(sql, summary_columns, ask.args, [&](const sql_row& row) { into.push_back(to_summary(row)); });
}

listing soci_store::list(const message_filter& filter, const std::optional<list_place>& after, std::size_t limit,
                         bool sizes) {
    require_table();
    listing result;
    if (!filter.error.empty() && !schema_.has("last_error")) return result;
    limit = std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max());
    const auto wanted = limit + 1;  // whether there is a next page
    const auto read = [&](const std::function<std::string(asking&)>& range) {
        if (result.rows.size() < wanted) list_rows(filter, range, wanted - result.rows.size(), sizes, result.rows);
    };
    const auto before_id = [&](asking& to) {
        return fmt::format("{} < {}", id_, dialect_->given_id(to.name(after->id), column("id")));
    };
    // Several plain ranges of the index instead of one condition with OR, as for due rows.
    if (!after) {
        read([&](asking& to) { return "update_time IS NOT NULL" + times_match(filter, true, to); });
    } else if (after->update_time) {
        read([&](asking& to) {
            const auto at = to.number(*after->update_time);
            const auto id = before_id(to);
            return fmt::format("update_time = {} AND {}{}", at, id, times_match(filter, false, to));
        });
        read([&](asking& to) {
            const auto at = to.number(*after->update_time);
            return fmt::format("update_time < {}{}", at, times_match(filter, true, to));
        });
    }
    if (!filter.since && !filter.before && column("update_time").nullable) {
        if (after && !after->update_time)
            read([&](asking& to) { return "update_time IS NULL AND " + before_id(to); });
        else
            read([](asking&) { return std::string("update_time IS NULL"); });
    }
    if (result.rows.size() > limit) {
        result.rows.resize(limit);
        if (limit > 0) result.next = list_place{result.rows.back().update_time, result.rows.back().id};
    }
    return result;
}

std::uint64_t soci_store::count(const message_filter& filter, std::uint64_t at_most) {
    require_table();
    std::uint64_t count = 0;
    if (!filter.error.empty() && !schema_.has("last_error")) return count;
    for (const int status : statuses_of(filter)) {
        asking ask;
        const auto times = times_match(filter, true, ask);
        const auto texts = texts_match(filter, ask);
        const auto most = ask.number(static_cast<std::int64_t>(
            std::min<std::uint64_t>(at_most - count, std::numeric_limits<std::int64_t>::max())));
        session_.query(
            fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} AS m {} WHERE status = {}{}{} LIMIT {}) AS counted",
                        table_, by_age_, status, times, texts, most),
            1, ask.args, [&](const sql_row& row) { count += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    }
    return count;
}

std::optional<detail> soci_store::show(const std::string& id, std::size_t body_bytes) {
    require_table();
    std::optional<detail> found;
    const auto room = std::min<std::size_t>(body_bytes, std::numeric_limits<std::int32_t>::max());
    const auto text = [&](const char* name) {
        return schema_.has(name) ? dialect_->text("m." + std::string(name), column(name)) : std::string("NULL");
    };
    session_.query(fmt::format("SELECT {}, {}, {}, {} FROM {} AS m {} WHERE id = {}", summary_list(true),
                               dialect_->start("m.msg", column("msg"), room), text("headers"), text("properties"),
                               table_, by_id_, dialect_->given_id("id", column("id"))),
                   14, std::array<sql_value, 1>{id}, [&](const sql_row& row) {
                       found.emplace();
                       found->what = to_summary(row);
                       found->body = dialect_->body(row.text(12).value_or(""), column("msg")).substr(0, room);
                       found->headers = row.text(13);
                       found->properties = row.text(14);
                   });
    return found;
}

std::string soci_store::delivering_again() const {
    auto set = fmt::format("status = 0, try_count = 0, next_try_time = {0}, update_time = {0}", now_);
    if (schema_.has("last_error")) set += column("last_error").nullable ? ", last_error = NULL" : ", last_error = ''";
    return set;
}

std::size_t soci_store::retry(std::span<const std::string> ids, bool also_delivered) {
    require_table();
    return change_ids(fmt::format("UPDATE {} {} SET {}", table_, by_id_, delivering_again()),
                      dialect_->beside_indexes("status") + (also_delivered ? " IN (1, 2)" : " = 2"), ids);
}

// What the column would keep of it otherwise is not what was meant.
void soci_store::require_fitting(const char* name, const std::string& value) {
    if (!schema_.has(name))
        throw store_error(fmt::format("table {} has no column {}, which is to be changed", table_, name));
    if (dialect_->is_binary(column(name))) return;
    const auto refuse = [&](const std::string& why) {
        throw store_error(fmt::format("what the column {} is to hold {}", name, why));
    };
    if (!is_utf8(value)) refuse("is not UTF-8 text");
    const auto room = dialect_->room_in(column(name));
    if (!room.nul && value.find('\0') != value.npos) refuse("has a NUL in it, which no text can have there");
    const auto characters = static_cast<std::size_t>(std::count_if(
        value.begin(), value.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    if (characters > room.characters)
        refuse(fmt::format("has {} characters, and it holds {}", characters, room.characters));
}

edit_outcome soci_store::edit(const std::string& id, const message_changes& changes) {
    require_table();
    auto set = delivering_again();
    asking ask;
    const auto change = [&](const char* name, const std::optional<std::string>& value, bool may_be_none) {
        if (!value) return;
        require_fitting(name, *value);
        const auto& to = column(name);
        if (may_be_none && value->empty() && to.nullable) {
            set += fmt::format(", {} = NULL", name);
            return;
        }
        // What is bytes travels as digits, so that nothing in it is changed on the way.
        table_column from;
        from.type = dialect_->is_binary(to) ? to.type : "text";
        const auto given = dialect_->is_binary(to) ? dialect_->given_bytes(ask.hex(*value))
                                                   : fmt::format("CAST(:{} AS text)", ask.name(*value));
        set += fmt::format(", {} = {}", name, dialect_->converted(given, from, to));
    };
    change("exchange", changes.exchange, false);
    change("routing_key", changes.routing_key, false);
    change("headers", changes.headers, true);
    change("properties", changes.properties, true);
    change("msg", changes.body, false);
    const auto sql = fmt::format("UPDATE {} {} SET {} WHERE {} = 2 AND id = {}", table_, by_id_, set,
                                 dialect_->beside_indexes("status"), dialect_->given_id(ask.name(id), column("id")));
    std::size_t changed = 0;
    const auto work = [&] { changed = session_.execute(sql, ask.args); };
    retrying_deadlocks([&] { session_.transaction(work); });
    if (changed > 0) return edit_outcome::done;
    auto outcome = edit_outcome::gone;
    session_.query(
        fmt::format("SELECT id FROM {} {} WHERE id = {}", table_, by_id_, dialect_->given_id("id", column("id"))), 1,
        std::array<sql_value, 1>{id}, [&](const sql_row&) { outcome = edit_outcome::not_failed; });
    return outcome;
}

std::size_t soci_store::remove(std::span<const std::string> ids, bool also_undelivered) {
    require_table();
    return change_ids(fmt::format("DELETE FROM {} {}", table_, by_id_),
                      also_undelivered ? "TRUE" : dialect_->beside_indexes("status") + " <> 0", ids);
}

}  // namespace outbox
