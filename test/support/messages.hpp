#pragma once
// test/support/messages.hpp - rows put into a table of messages, and what became of them.

#include <cstdint>
#include <string>

#include "test/support/database.hpp"

namespace support {

/// Inserts rows with the ids "<prefix>1", "<prefix>2" … in one transaction; all else is the table's default.
void insert(database& server, const table& into, std::size_t count, const std::string& exchange,
            const std::string& routing_key = "key", const std::string& prefix = "m");

/// How many rows there are for which `condition` holds, in SQL.
std::size_t count(database& server, const table& of, const std::string& condition);

/// What a row's attempts have cost, for comparing at once.
struct row_state {
    int status = 0;
    std::int64_t try_count = 0;
    bool operator==(const row_state&) const = default;
};
std::ostream& operator<<(std::ostream& out, const row_state& state);

row_state state_of(database& server, const table& of, const std::string& id);
/// "NULL" if there is none.
std::string error_of(database& server, const table& of, const std::string& id);
/// next_try_time, from now on, in milliseconds.
std::int64_t wait_of(database& server, const table& of, const std::string& id);

/// Counts the UPDATEs of each row of a table, from construction on, by a trigger.
class audit {
  public:
    explicit audit(const table& of);
    ~audit();
    audit(const audit&) = delete;
    audit& operator=(const audit&) = delete;

    std::size_t updates(database& server) const;
    std::size_t updates(database& server, const std::string& id) const;

  private:
    std::string trigger_;
    std::string name_;
};

/// Statements that write, whatever they changed, as the server has counted them for all connections.
std::int64_t writing_statements(database& root);

/// Statements that read, likewise.
std::int64_t reading_statements(database& root);

}  // namespace support
