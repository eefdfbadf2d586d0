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
    const auto name = table();
    for (auto at = sql.find("{}"); at != sql.npos; at = sql.find("{}", at + name.size())) sql.replace(at, 2, name);
    return sql;
}

std::unique_ptr<subject> make_subject(shape of) { return current().make(of); }

void use(const kind_of_database& kind) { current() = kind; }

}  // namespace contract
