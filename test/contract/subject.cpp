#include "test/contract/subject.hpp"

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

std::vector<column_facts> subject::to_columns(const std::vector<row>& rows) {
    std::vector<column_facts> all;
    for (const auto& one : rows)
        all.push_back({one.at(0).value(), one.at(1) == "1", one.at(2) == "1", std::stoll(one.at(3).value())});
    return all;
}

std::unique_ptr<subject> make_subject(shape of) { return current().make(of); }

void use(const kind_of_database& kind) { current() = kind; }

}  // namespace contract
