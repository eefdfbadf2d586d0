#include "test/contract/subject.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace contract {
namespace {

kind_of_database& current() {
    static kind_of_database kind;
    return kind;
}

}  // namespace

std::string connection::text(const std::string& sql) {
    const auto all = rows(sql);
    if (all.size() != 1) throw std::runtime_error(std::to_string(all.size()) + " rows from: " + sql);
    return all.front().front().value_or("NULL");
}

std::int64_t connection::number(const std::string& sql) {
    const auto value = text(sql);
    try {
        return std::stoll(value);
    } catch (const std::logic_error&) {
        throw std::runtime_error("'" + value + "' is no number, from: " + sql);
    }
}

std::string subject::in(std::string sql) const {
    const auto replace = [&](std::string_view from, const std::string& to) {
        for (auto at = sql.find(from); at != sql.npos; at = sql.find(from, at + to.size()))
            sql.replace(at, from.size(), to);
    };
    replace("{}", table());
    replace("[]", ledger());
    return sql;
}

void subject::apply_optional(const std::string& file) {
    std::ifstream in(fmt::format("{}/{}/optional/{}", OUTBOX_SCHEMA, kind(), file));
    if (!in) throw std::runtime_error("no file " + file);
    std::string sql{std::istreambuf_iterator<char>(in), {}};
    const auto name = table();
    const std::string_view documented = "msg_log";
    for (auto at = sql.find(documented); at != sql.npos; at = sql.find(documented, at + name.size()))
        sql.replace(at, documented.size(), name);
    apply_by_hand(sql);
}

std::vector<column_facts> subject::to_columns(const std::vector<row>& rows) {
    std::vector<column_facts> all;
    for (const auto& one : rows)
        all.push_back({one.at(0).value(), one.at(1) == "1", one.at(2) == "1", std::stoll(one.at(3).value())});
    return all;
}

std::unique_ptr<subject> make_subject(shape of) { return current().make(of); }

void use(const kind_of_database& kind) { current() = kind; }

}  // namespace contract
