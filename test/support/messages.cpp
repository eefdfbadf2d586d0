#include "test/support/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace support {

void insert(database& server, const table& into, std::size_t count, const std::string& exchange,
            const std::string& routing_key, const std::string& prefix) {
    constexpr std::size_t at_once = 1'000;
    server.execute("START TRANSACTION");
    for (std::size_t first = 1; first <= count; first += at_once) {
        std::string sql = into.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ");
        for (std::size_t i = first; i < std::min(first + at_once, count + 1); ++i)
            sql += fmt::format("{}('{}{}', '{{\"number\": {}}}', '{}', '{}')", i == first ? "" : ",", prefix, i, i,
                               exchange, routing_key);
        server.execute(sql);
    }
    server.execute("COMMIT");
}

std::size_t count(database& server, const table& of, const std::string& condition) {
    return static_cast<std::size_t>(server.number(of.in("SELECT COUNT(*) FROM {} WHERE ") + condition));
}

std::ostream& operator<<(std::ostream& out, const row_state& state) {
    return out << "status " << state.status << " after " << state.try_count << " tries";
}

row_state state_of(database& server, const table& of, const std::string& id) {
    const auto rows = server.rows(of.in("SELECT status, try_count FROM {} WHERE id = '" + id + "'"));
    if (rows.size() != 1) throw std::runtime_error("no row " + id);
    return {std::stoi(rows[0][0].value()), std::stoll(rows[0][1].value())};
}

std::string error_of(database& server, const table& of, const std::string& id) {
    return server.text(of.in("SELECT last_error FROM {} WHERE id = '" + id + "'"));
}

std::int64_t wait_of(database& server, const table& of, const std::string& id) {
    return server.number(
        of.in("SELECT next_try_time - TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 FROM {} "
              "WHERE id = '" +
              id + "'"));
}

audit::audit(const table& of) : trigger_(of.name() + "_audit_trigger"), name_(of.name() + "_audit") {
    database server;
    server.execute("CREATE TABLE " + name_ + " (number bigint AUTO_INCREMENT PRIMARY KEY, id varchar(255), KEY (id))");
    server.execute(of.in("CREATE TRIGGER " + trigger_ + " AFTER UPDATE ON {} FOR EACH ROW INSERT INTO " + name_ +
                         " (id) VALUES (NEW.id)"));
}

audit::~audit() {
    try {
        database server;
        server.execute("DROP TRIGGER IF EXISTS " + trigger_);
        server.execute("DROP TABLE IF EXISTS " + name_);
    } catch (const std::exception&) {
        // The server is what the test has taken away.
    }
}

std::size_t audit::updates(database& server) const {
    return static_cast<std::size_t>(server.number("SELECT COUNT(*) FROM " + name_));
}

std::size_t audit::updates(database& server, const std::string& id) const {
    return static_cast<std::size_t>(server.number("SELECT COUNT(*) FROM " + name_ + " WHERE id = '" + id + "'"));
}

namespace {

std::int64_t sum_of_status(database& root, const std::string& names) {
    std::int64_t sum = 0;
    for (const auto& one : root.rows("SHOW GLOBAL STATUS WHERE Variable_name IN (" + names + ")"))
        sum += std::stoll(one[1].value());
    return sum;
}

}  // namespace

std::int64_t writing_statements(database& root) {
    return sum_of_status(root,
                         "'Com_update', 'Com_update_multi', 'Com_delete', 'Com_delete_multi', 'Com_insert', "
                         "'Com_insert_select', 'Com_replace', 'Com_begin', 'Com_commit'");
}

std::int64_t reading_statements(database& root) { return sum_of_status(root, "'Com_select'"); }

}  // namespace support
