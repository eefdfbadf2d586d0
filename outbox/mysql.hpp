#pragma once
// outbox/mysql.hpp - the store on MySQL and MariaDB. Its statements stand in mysql.cpp (the relay's), mysql_order.cpp
// (those of order by key), mysql_parked.cpp, mysql_receipts.cpp, mysql_leases.cpp (those of msg_lane),
// mysql_ledger.cpp, mysql_failures.cpp, mysql_ledger_view.cpp, mysql_notices.cpp, mysql_census.cpp,
// mysql_inspection.cpp and mysql_admin.cpp (those of operators).

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

    page due(const position& after, std::size_t limit, const lane_set& of) override;
    bool load_body(message& row) override;
    void require_order() override;
    std::vector<std::string> heads(std::span<const std::string> keys) override;
    std::vector<message> due_among(std::span<const std::string> ids, const lane_set& of) override;

    std::size_t settle(std::span<const settlement> batch) override;
    released release(epoch_ms parked_until, const std::optional<std::string>& after, std::size_t limit) override;
    std::optional<std::string> unfiled() const override { return unfiled_; }

    std::size_t purge(status of, std::chrono::milliseconds age, std::size_t limit) override;
    std::uint64_t purgeable(status of, std::chrono::milliseconds age) override;
    std::optional<std::size_t> purge_ledger(std::chrono::milliseconds age, std::size_t limit) override;
    std::optional<std::uint64_t> purgeable_in_ledger(std::chrono::milliseconds age) override;

    bool has_leases() override;
    lease_table read_leases() override;
    lease_table change_leases(const std::function<std::vector<lease>(const lease_table&)>& decide) override;

    rows_left left() override;
    outbox::backlog backlog() override;
    std::vector<finding> examine() override;
    std::vector<std::pair<std::string, std::uint64_t>> pending_exchanges(std::size_t limit) override;
    std::string migration_script() const override;
    std::vector<migration_state> migration_status() override;
    std::vector<int> migrate() override;

    epoch_ms clock() override;
    listing list(const message_filter& filter, const std::optional<list_place>& after, std::size_t limit,
                 bool sizes) override;
    std::uint64_t count(const message_filter& filter, std::uint64_t at_most) override;
    std::optional<detail> show(const std::string& id, std::size_t body_bytes) override;
    std::size_t retry(std::span<const std::string> ids, bool also_delivered) override;
    std::size_t remove(std::span<const std::string> ids, bool also_undelivered) override;
    edit_outcome edit(const std::string& id, const message_changes& changes) override;

    census count_up_to(std::uint64_t most, std::chrono::milliseconds at_most,
                       std::optional<std::chrono::milliseconds> overdue) override;

    receipts_taken take_receipts(std::span<const std::string> ids) override;

    bool has_ledger() override;
    std::vector<ledger_entry> entries(const ledger_filter& filter, std::optional<std::int64_t> before,
                                      std::size_t limit, bool whole) override;
    std::uint64_t count_entries(const ledger_filter& filter, std::uint64_t at_most) override;
    std::size_t remove_entries(std::span<const std::int64_t> entries) override;
    std::optional<std::string> payload(std::int64_t entry) override;
    ledger_retry retry_entry(std::int64_t entry) override;
    bool file_failure(const consumer_failure& one, bool perhaps_filed) override;
    ledger_resend resend_entry(std::int64_t entry, bool repeat,
                               const std::function<bool(const consumer_failure&)>& send) override;

    bool has_notices() override;
    std::size_t note_entries(std::size_t limit) override;
    std::uint64_t count_notices(std::uint64_t at_most) override;
    std::vector<notice> due_notices(std::size_t limit) override;
    std::optional<std::string> payload_start(std::int64_t entry, std::size_t bytes) override;
    void record_notices(std::span<const notice_outcome> outcomes) override;
    std::size_t forget_notices() override;

  private:
    void learn_schema();
    void require_table();
    void read_rows(const std::string& by_index, const std::string& rest, std::span<const mysql_value> args,
                   std::size_t limit, const lane_set& of, page& into);
    counted count_blocked_keys();
    std::size_t settle_delivered(std::span<const settlement* const> rows);
    std::size_t settle_undelivered(std::span<const settlement* const> rows, bool final);
    std::size_t settle_failed(std::span<const settlement* const> rows);
    std::size_t settle_parked(std::span<const settlement* const> rows);
    std::string is_parked() const;
    std::size_t change_ids(const std::string& change, const std::string& condition, std::span<const std::string> ids);
    std::string delivering_again() const;

    bool lock_leases(lease_table& into);
    void write_leases(const std::vector<lease>& before, const std::vector<lease>& after);

    void list_rows(const message_filter& filter, const std::string& range, std::span<const mysql_value> range_args,
                   const std::string& order, std::size_t limit, bool sizes, std::vector<summary>& into);
    void require_fitting(const char* name, const std::string& value);

    void look_at_server(census& into);

    void learn_ledger();
    void file(std::span<const settlement* const> rows);
    void file_alike(std::span<const settlement* const> rows, bool id_fits);
    std::int64_t free_ledger_id();
    void insert_failure(const consumer_failure& one);
    bool is_filed(const std::string& reason);
    void insert_into_ledger(std::span<const settlement* const> rows, bool id_fits);
    std::string of_this_table() const;
    std::string old_entries(std::chrono::milliseconds age);

    std::string notice_table() const;  // quoted: sys_mq_notice, beside the table
    void insert_notices(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time);
    void note(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time);
    std::optional<std::int64_t> notice_mark();

    std::vector<migration> migrations() const;
    void examine_all(findings& report);
    void examine_plans(findings& report);

    const conf::database settings_;
    const store_options options_;
    const std::string table_;       // quoted
    const std::string lane_table_;  // likewise: msg_lane, beside it
    const std::string lanes_of_;    // the table's name in there
    const std::string ledger_;      // quoted: sys_mq_fail, beside it
    mysql_session session_;

    std::uint64_t refusals_seen_ = 0;

    // Learnt at each connect, and again after the server has refused a statement.
    mysql_schema schema_;
    std::string select_list_;
    std::string body_;            // the column, as UTF-8 text or as bytes
    std::string body_size_;       // in bytes
    std::string lane_key_;        // what decides a row's lane
    std::string due_index_;       // "FORCE INDEX (…)", or empty when there is no such index
    std::string id_index_;        // "FORCE INDEX (PRIMARY)", or another one that begins with id
    std::string purge_index_;     // likewise
    std::int64_t max_tries_ = 0;  // what the column try_count can hold
    text_room error_room_;        // of the column last_error; of 0 characters: there is none
    mysql_schema ledger_schema_;  // without columns: there is no ledger, or none that can be used

    std::optional<std::string> unfiled_;
    bool may_look_at_server_ = true;  // until it refuses; asked again on each new connection
};

}  // namespace outbox
