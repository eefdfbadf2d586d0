#include "test/contract/table_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace contract {
namespace {

constexpr std::size_t rows_per_insert = 1'000;

std::string or_null(const std::optional<outbox::epoch_ms>& time) { return time ? std::to_string(*time) : "NULL"; }

}  // namespace

table_view::table_view(shape of)
    : bytes_(of == shape::bytes), subject_(make_subject(of)), connection_(subject_->connect()) {}

std::string table_view::values(const new_row& one) const {
    const auto& on = *subject_;
    return fmt::format("({}, {}, {}, {}, {}, {}, {}, {}, {})", on.text(one.id),
                       bytes_ ? on.blob(one.msg) : on.text(one.msg), on.text(one.exchange), on.text(one.routing_key),
                       one.status, one.try_count, or_null(one.next_try_time), or_null(one.create_time),
                       or_null(one.update_time));
}

void table_view::insert(const std::vector<new_row>& rows) {
    for (std::size_t at = 0; at < rows.size(); at += rows_per_insert) {
        std::string sql =
            "INSERT INTO {} (id, msg, exchange, routing_key, status, try_count, next_try_time, create_time, "
            "update_time) "
            "VALUES ";
        sql = subject_->in(sql);
        const auto end = std::min(rows.size(), at + rows_per_insert);
        for (auto i = at; i < end; ++i) sql += (i == at ? "" : ",") + values(rows[i]);
        connection_->execute(sql);
    }
}

std::string table_view::of(const std::string& id, const std::string& column) {
    return text(fmt::format("SELECT {} FROM {{}} WHERE id = {}", column, subject_->text(id)));
}

std::string table_view::statuses() {
    std::string all;
    for (const auto& one : connection_->rows(subject_->in("SELECT status FROM {} ORDER BY id")))
        all += (all.empty() ? "" : " ") + one.front().value();
    return all;
}

std::vector<std::string> sweep(outbox::due_rows& rows, std::size_t limit, outbox::position from) {
    std::vector<std::string> ids;
    for (;;) {
        auto page = rows.due(from, limit);
        if (page.rows.size() > limit) throw std::logic_error("a page has more rows than asked for");
        for (auto& one : page.rows) ids.push_back(std::move(one.id));
        if (page.complete) return ids;
        if (page.next == from) throw std::logic_error("a page leads back to itself");
        from = page.next;
    }
}

std::vector<std::string> numbered(std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(fmt::format("r{:05}", i));
    return ids;
}

outbox::settlement delivered(std::string id) { return {std::move(id), outbox::settlement::kind::delivered, 0, {}, {}}; }

outbox::settlement retry(std::string id, std::int64_t tries, std::chrono::milliseconds delay, std::string error) {
    return {std::move(id), outbox::settlement::kind::retry, tries, delay, std::move(error)};
}

outbox::settlement failed(std::string id, std::int64_t tries, std::string error) {
    return {std::move(id), outbox::settlement::kind::failed, tries, {}, std::move(error)};
}

}  // namespace contract
