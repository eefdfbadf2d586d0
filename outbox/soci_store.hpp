#pragma once
// outbox/soci_store.hpp - the store on the databases behind SOCI. Its statements stand in soci_store.cpp (the relay's),
// soci_order.cpp (those of order by key), soci_parked.cpp, soci_receipts.cpp, soci_leases.cpp (those of msg_lane),
// soci_ledger.cpp, soci_failures.cpp, soci_ledger_view.cpp, soci_notices.cpp, soci_census.cpp, soci_inspection.cpp and
// soci_admin.cpp (those of operators); what differs between the databases, behind soci_dialect.

#include <memory>
#include <string>

#include "outbox/soci_dialect.hpp"
#include "outbox/soci_session.hpp"
#include "outbox/store.hpp"
#include "outbox/table_schema.hpp"

namespace outbox {

class soci_store final : public store {
  public:
    soci_store(const conf::database& settings, const store_options& options, std::unique_ptr<soci_dialect> dialect);

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

    rows_left left() override;
    outbox::backlog backlog() override;
    std::vector<finding> examine() override;
    std::vector<std::pair<std::string, std::uint64_t>> pending_exchanges(std::size_t limit) override;
    std::string migration_script() const override;
    std::vector<migration_state> migration_status() override;
    std::vector<int> migrate() override;

  private:
    void learn_schema();
    void require_table();
    const table_column& column(std::string_view name) const { return schema_.columns.find(name)->second; }
    std::string due_statement(const std::string& by_index, const std::string& status, const std::string& rest,
                              const lane_set& of) const;
    void read_rows(const std::string& statement, std::span<const sql_value> args, std::size_t limit, page& into);
    std::string order_key() const;
    std::string first_of_key(const char* what, status of, const std::string& key) const;
    std::string head_of(const std::string& key) const;
    std::string is_due() const;
    counted count_blocked_keys();
    std::size_t settle_delivered(std::span<const settlement* const> rows);
    std::size_t settle_undelivered(std::span<const settlement* const> rows, bool final);
    std::string purge_statement(const std::string& what, const std::string& time) const;
    std::size_t settle_failed(std::span<const settlement* const> rows);
    std::size_t settle_parked(std::span<const settlement* const> rows);
    std::string is_parked() const;
    std::size_t change_ids(const std::string& change, const std::string& condition, std::span<const std::string> ids);
    std::string delivering_again() const;
    std::size_t set_consumed(std::span<const std::string> ids);
    bool may_be_an_id(const std::string& id);
    void add_unknown(std::span<const std::string> ids, std::vector<std::string>& to);

    struct asking;
    std::string texts_match(const message_filter& filter, asking& to) const;
    static std::string times_match(const message_filter& filter, bool by_index, asking& to);
    std::string summary_list(bool sizes) const;
    void list_rows(const message_filter& filter, const std::function<std::string(asking&)>& range, std::size_t limit,
                   bool sizes, std::vector<summary>& into);
    void require_fitting(const char* name, const std::string& value);

    // A row that is to be filed, with what of it has to be looked at before.
    struct failure {
        const settlement* row = nullptr;
        std::optional<std::string> headers;     // JSON
        std::optional<std::string> properties;  // likewise
    };
    void learn_ledger();
    const table_column& in_ledger(std::string_view name) const { return ledger_schema_.columns.find(name)->second; }
    void file_alike(std::span<const failure> rows, bool id_fits);
    std::int64_t free_ledger_id();
    void insert_failure(const consumer_failure& one);
    bool is_filed(const std::string& reason);
    void insert_into_ledger(std::span<const failure> rows, bool id_fits);
    std::string of_this_table() const;
    std::string matching(const ledger_filter& filter, asking& to) const;
    std::string old_entries(const char* what, std::chrono::milliseconds age, asking& to) const;

    std::string notice_table() const;  // quoted: sys_mq_notice, beside the table
    void insert_notices(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time);
    void note(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time);
    std::optional<std::int64_t> notice_mark();

    void write_leases(const std::vector<lease>& before, const std::vector<lease>& after);
    void examine_all(findings& report);

    const conf::database settings_;
    const store_options options_;
    const std::unique_ptr<soci_dialect> dialect_;
    const std::string table_;       // quoted
    const std::string lane_table_;  // likewise: msg_lane, beside it
    const std::string lanes_of_;    // the table's name in there
    const std::string ledger_;      // quoted: sys_mq_fail, beside it
    const std::string now_;
    soci_session session_;

    std::uint64_t refusals_seen_ = 0;
    std::optional<std::string> unfiled_;

    // Learnt at each connect, and again after the database has refused a statement.
    table_schema schema_;
    table_schema ledger_schema_;  // without columns: there is no ledger, or none that can be used
    std::string select_list_;
    std::string id_;              // as rows are ordered by it
    std::string lane_key_;        // what decides a row's lane
    std::string by_due_;          // what follows the table's name to have it read by …
    std::string by_id_;           // … the index on id
    std::string by_age_;          // … the index for purging
    std::string by_order_;        // … the index for order by key
    std::string told_apart_;      // a condition
    std::int64_t max_tries_ = 0;  // what the column try_count can hold
    text_room error_room_;        // of the column last_error; of 0 characters: there is none
};

}  // namespace outbox
