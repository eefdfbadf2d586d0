#pragma once
// outbox/soci_session.hpp - one connection through SOCI, to whichever kind of database its driver knows.
// soci_session.cpp turns SOCI's errors into those of outbox/store.hpp.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "outbox/sql_values.hpp"
#include "outbox/store.hpp"

namespace outbox {

class soci_driver;

/// Used by one thread at a time; blocks. Connects at first use. After a loss the call throws store_unavailable, and the
/// next one connects again.
///
/// Arguments stand in a statement as :name, each name once, and are given in that order. As SOCI must be told where
/// columns go before it runs a statement, queries say how many they bring.
class soci_session {
  public:
    explicit soci_session(std::unique_ptr<soci_driver> driver);
    ~soci_session();

    /// Connects if need be.
    void connect();
    void disconnect();

    /// Runs `each` after every (re)connect, before anything else.
    void on_connect(std::function<void()> each);

    /// A SELECT as a prepared statement, which is kept for the next time. Its arguments are of the same types each
    /// time.
    void query(const std::string& sql, unsigned columns, std::span<const sql_value> args,
               const std::function<void(const sql_row&)>& each);
    /// A changing statement, likewise. Returns the number of rows that it changed.
    std::uint64_t execute(const std::string& sql, std::span<const sql_value> args);

    /// For what is run once (EXPLAIN, DDL). No arguments: never from outside.
    void query_text(const std::string& sql, unsigned columns, const std::function<void(const sql_row&)>& each);
    void execute_text(const std::string& sql);

    /// Runs `work` in a transaction that may write: commits, or rolls back and passes the exception on.
    void transaction(const std::function<void()>& work);

    /// Within a transaction: runs `work`, and takes back what it has done when it throws store_error, which is passed
    /// on.
    void attempt(const std::function<void()>& work);

    /// How often the database has understood and refused (store_error).
    std::uint64_t refusals() const;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace outbox
