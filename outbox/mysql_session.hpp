#pragma once
// outbox/mysql_session.hpp - one connection to MySQL or MariaDB. mysql_session.cpp is the only file that knows
// MySQL Connector/C++; it turns its errors into those of outbox/store.hpp.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "conf/settings.hpp"
#include "outbox/sql_values.hpp"
#include "outbox/store.hpp"

namespace outbox {

using mysql_row = sql_row;
using mysql_value = sql_value;

/// Used by one thread at a time; blocks, each socket operation at most for the query timeout.
/// Connects at first use. After a loss the call throws store_unavailable, and the next one connects again.
/// The session is set up once after connecting. But for the charset, which is the login's, what is set there only makes
/// it a better neighbour (short lock waits, no gap locks): a multiplexing proxy may lose it. Time zones never matter.
class mysql_session {
  public:
    /// Throws std::invalid_argument for an url that can't be used.
    mysql_session(const conf::database& settings, std::string role);
    ~mysql_session();

    /// The next call connects anew: elsewhere, if the name has come to stand for another server.
    void disconnect();

    /// Runs `each` after every (re)connect, before anything else.
    void on_connect(std::function<void()> each);

    /// A SELECT as a server-side prepared statement, which is kept for the next time.
    void query(const std::string& sql, std::span<const mysql_value> args,
               const std::function<void(const mysql_row&)>& each);
    /// A changing statement, likewise. Returns the number of rows that it changed.
    std::uint64_t execute(const std::string& sql, std::span<const mysql_value> args);

    /// For what can't be prepared, or is run once (SHOW, EXPLAIN, DDL). No arguments: never from outside.
    void query_text(const std::string& sql, const std::function<void(const mysql_row&)>& each);
    void execute_text(const std::string& sql);

    /// Runs `work` in a transaction: commits, or rolls back and passes the exception on.
    void transaction(const std::function<void()>& work);

    /// How often the server has understood and refused (store_error).
    std::uint64_t refusals() const;

    const std::string& database() const;
    /// As the server says it: "10.11.6-MariaDB-0+deb12u1". Connects if need be.
    const std::string& server_version();
    bool is_mariadb();
    /// The TLS cipher in use; empty without TLS.
    const std::string& cipher();

    struct impl;

  private:
    std::unique_ptr<impl> impl_;
};

}  // namespace outbox
