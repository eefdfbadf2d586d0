#include "test/contract/sqlite_subject.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "test/support/sqlite_file.hpp"

namespace contract {
namespace {

// Instructions of SQLite's machine, in all connections of this program. Filing a row takes about three times as many.
constexpr int instructions_per_row = 80;
std::atomic<std::uint64_t> rows_looked_at = 0;

int count(void*) {
    ++rows_looked_at;
    return 0;
}

int count_in(sqlite3* database, const char**, const sqlite3_api_routines*) {
    sqlite3_progress_handler(database, instructions_per_row, count, nullptr);
    return SQLITE_OK;
}

class sqlite_connection final : public connection {
  public:
    explicit sqlite_connection(const std::string& file) : file_(file) {}

    std::uint64_t execute(const std::string& sql) override { return file_.execute(sql); }
    std::vector<row> rows(const std::string& sql) override { return file_.rows(sql); }

  private:
    support::sqlite_connection file_;
};

std::string nine_columns(std::string_view others = "") {
    return fmt::format(
        "CREATE TABLE msg_log (id varchar(255) NOT NULL PRIMARY KEY, msg text, exchange varchar(255) NOT NULL, {} "
        "status int NOT NULL, next_try_time bigint, create_time bigint, update_time bigint)",
        others);
}

// As applications have it that file their failures by themselves.
constexpr auto classic_ledger =
    "CREATE TABLE sys_mq_fail (id bigint NOT NULL PRIMARY KEY, custom_message_id varchar(36), tags varchar(50), "
    "topic varchar(50) NOT NULL, message_id varchar(36), message_key varchar(50), message_create_time datetime, "
    "headers text, payload blob, ex_content blob, fail_flag int NOT NULL, retry smallint NOT NULL, "
    "last_retry_status int NOT NULL)";

void replace(std::string& text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    if (at == text.npos) throw std::logic_error(fmt::format("the recommended table has no {}", from));
    text.replace(at, from.size(), to);
}

class sqlite_subject final : public subject {
  public:
    explicit sqlite_subject(shape of) { make_table(of); }

    std::unique_ptr<outbox::store> open(const outbox::store_options& options) override {
        return outbox::make_store(file_.settings(), options);
    }
    std::unique_ptr<connection> connect() override { return std::make_unique<sqlite_connection>(file_.path()); }
    conf::database nowhere() const override {
        auto settings = file_.settings();
        settings.url += ".nowhere";
        return settings;
    }

    std::string kind() const override { return "sqlite"; }
    std::string table() const override { return "msg_log"; }
    std::string ledger() const override { return "sys_mq_fail"; }
    std::string flag(bool set) const override { return set ? "1" : "0"; }
    std::string now() const override { return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"; }
    std::string text(std::string_view utf8) const override { return fmt::format("CAST({} AS TEXT)", blob(utf8)); }
    std::string blob(std::string_view bytes) const override {
        std::string literal = "x'";
        for (const char c : bytes) literal += fmt::format("{:02X}", static_cast<unsigned char>(c));
        return literal + "'";
    }

    bool locks_rows() const override { return false; }
    std::function<void()> cutter(outbox::store&) override { return {}; }
    std::optional<std::uint64_t> rows_examined() override { return rows_looked_at; }

    void apply_by_hand(const std::string& script) override {
        FILE* client = popen(fmt::format("sqlite3 -bail '{}' >/dev/null", file_.path()).c_str(), "w");
        if (client == nullptr) throw std::runtime_error("no client");
        const bool written = std::fwrite(script.data(), 1, script.size(), client) == script.size();
        if (pclose(client) != 0 || !written) throw std::runtime_error("the client refused the script");
    }

    std::string definition() override {
        std::string all;
        for (const auto& one : connect()->rows(
                 "SELECT sql FROM sqlite_master WHERE tbl_name = 'msg_log' AND sql IS NOT NULL ORDER BY name"))
            all += one.front().value() + "\n";
        return all;
    }

    std::vector<column_facts> columns(const std::string& table) override {
        return to_columns(connect()->rows(fmt::format(
            "SELECT name, NOT \"notnull\", dflt_value IS NOT NULL OR (pk = 1 AND MAX(pk) OVER () = 1 AND lower(type) = "
            "'integer'), pk FROM pragma_table_info('{}') ORDER BY cid",
            table)));
    }

  private:
    void make_table(shape of) {
        support::sqlite_connection server(file_.path());
        server.execute("PRAGMA journal_mode = WAL");
        if (of == shape::none) return;
        if (of == shape::nine || of == shape::lacking) {
            server.execute(nine_columns(of == shape::nine ? "routing_key varchar(255) NOT NULL, try_count int NOT NULL,"
                                                          : std::string_view()));
            return;
        }
        if (of == shape::classic_ledger) server.execute(classic_ledger);
        auto script = outbox::make_store(file_.settings(), {})->migration_script();
        if (of == shape::narrow) {
            replace(script, "\"try_count\"     int", "\"try_count\" tinyint");
            replace(script, "varchar(1000)", "varchar(20)");
        }
        if (of == shape::bytes) replace(script, "\"msg\"           text", "\"msg\" blob");
        server.execute(script);
    }

    support::sqlite_file file_;
};

}  // namespace

kind_of_database sqlite() {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(count_in));
    return {fmt::format("SQLite {}", sqlite3_libversion()),
            [](shape of) -> std::unique_ptr<subject> { return std::make_unique<sqlite_subject>(of); }};
}

}  // namespace contract
