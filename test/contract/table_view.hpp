#pragma once
// test/contract/table_view.hpp - a subject with a connection of the test's own, and short words for what tests do to
// it.

#include <string>
#include <vector>

#include "test/contract/subject.hpp"

namespace contract {

/// A row to insert; what is empty is inserted as an empty text, times of nullopt as NULL.
struct new_row {
    std::string id;
    int status = 0;
    std::optional<outbox::epoch_ms> next_try_time = 0;
    std::string msg = "{}";
    std::string exchange = "orders";
    std::string routing_key = "created";
    std::int64_t try_count = 0;
    std::optional<outbox::epoch_ms> create_time = 1;
    std::optional<outbox::epoch_ms> update_time = 1;
};

class table_view {
  public:
    explicit table_view(shape of = shape::recommended);

    subject& on() { return *subject_; }
    connection& sql() { return *connection_; }
    std::unique_ptr<outbox::store> open(const outbox::store_options& options = {}) { return subject_->open(options); }

    void insert(const std::vector<new_row>& rows);
    void insert(const new_row& one) { insert(std::vector{one}); }
    /// "(…),(…)" for an INSERT of one's own.
    std::string values(const new_row& one) const;

    std::uint64_t execute(const std::string& sql) { return connection_->execute(subject_->in(sql)); }
    std::string text(const std::string& sql) { return connection_->text(subject_->in(sql)); }
    std::int64_t number(const std::string& sql) { return connection_->number(subject_->in(sql)); }

    /// One column of one row.
    std::string of(const std::string& id, const std::string& column);
    int status_of(const std::string& id) { return std::stoi(of(id, "status")); }
    /// The status of each row, in the order of the ids: "0 1 3".
    std::string statuses();

    outbox::epoch_ms now() { return number("SELECT " + subject_->now()); }

  private:
    bool bytes_;
    std::unique_ptr<subject> subject_;
    std::unique_ptr<connection> connection_;
};

/// The ids of a whole sweep from `from` on, in the order in which pages of `limit` rows brought them.
std::vector<std::string> sweep(outbox::due_rows& rows, std::size_t limit, outbox::position from = {});

/// `count` ids: "r00000", "r00001", …
std::vector<std::string> numbered(std::size_t count);

outbox::settlement delivered(std::string id);
outbox::settlement retry(std::string id, std::int64_t tries, std::chrono::milliseconds delay,
                         std::string error = "why");
outbox::settlement failed(std::string id, std::int64_t tries, std::string error = "why");

}  // namespace contract
