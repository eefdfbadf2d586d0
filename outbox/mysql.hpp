#pragma once
// outbox/mysql.hpp - the store on MySQL and MariaDB. Its statements stand in mysql.cpp (the relay's) and
// mysql_admin.cpp (those of operators).

#include <string>

#include "outbox/mysql_schema.hpp"
#include "outbox/mysql_session.hpp"
#include "outbox/store.hpp"
#include "outbox/utf8.hpp"

namespace outbox {

class findings;

class mysql_store final : public store {
  public:
    mysql_store(const conf::database& settings, const store_options& options);

    page due(const position& after, std::size_t limit) override;
    bool load_body(message& row) override;

    std::size_t settle(std::span<const settlement> batch) override;

    std::size_t purge(status of, std::chrono::milliseconds age, std::size_t limit) override;
    std::uint64_t purgeable(status of, std::chrono::milliseconds age) override;

    outbox::backlog backlog() override;
    std::vector<finding> examine() override;
    std::vector<std::pair<std::string, std::uint64_t>> pending_exchanges(std::size_t limit) override;
    std::string migration_script() const override;
    std::vector<migration_state> migration_status() override;
    std::vector<int> migrate() override;

  private:
    void learn_schema();
    void require_table();
    std::size_t read_rows(const std::string& condition, std::span<const mysql_value> args, std::size_t limit,
                          page& into);
    std::size_t settle_delivered(std::span<const settlement* const> rows);
    std::size_t settle_undelivered(std::span<const settlement* const> rows, bool final);
    std::size_t remove_ids(status of, std::span<const std::string> ids);
    std::vector<migration> migrations() const;
    void examine_all(findings& report);
    void examine_plans(findings& report);

    const conf::database settings_;
    const store_options options_;
    const std::string table_;  // quoted
    mysql_session session_;

    std::uint64_t refusals_seen_ = 0;

    // Learnt at each connect, and again after the server has refused a statement.
    mysql_schema schema_;
    std::string select_list_;
    std::string due_index_;       // "FORCE INDEX (…)", or empty when there is no such index
    std::string id_index_;        // "FORCE INDEX (PRIMARY)", or another one that begins with id
    std::string purge_index_;     // likewise
    std::int64_t max_tries_ = 0;  // what the column try_count can hold
    text_room error_room_;        // of the column last_error; of 0 characters: there is none
};

}  // namespace outbox
