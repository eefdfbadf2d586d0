#include "test/contract/postgresql_subject.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

#include "test/support/postgresql.hpp"

namespace contract {
namespace {

class postgresql_connection final : public connection {
  public:
    std::uint64_t execute(const std::string& sql) override { return server_.execute(sql); }
    std::vector<row> rows(const std::string& sql) override { return server_.rows(sql); }

  private:
    support::postgresql server_;
};

std::string nine_columns(std::string_view others = "") {
    return fmt::format(
        "CREATE TABLE {{}} (id varchar(255) NOT NULL PRIMARY KEY, msg text, exchange varchar(255) NOT NULL, {} "
        "status int NOT NULL, next_try_time bigint, create_time bigint, update_time bigint)",
        others);
}

support::postgresql_table altered(const std::string& how) {
    auto made = support::postgresql_table::recommended();
    support::postgresql().execute(made.in("ALTER TABLE {} " + how));
    return made;
}

// As applications have it that file their failures by themselves.
constexpr auto classic_ledger =
    "CREATE TABLE {}.sys_mq_fail (id bigint NOT NULL PRIMARY KEY, custom_message_id varchar(36), tags varchar(50), "
    "topic varchar(50) NOT NULL, message_id varchar(36), message_key varchar(50), message_create_time timestamp, "
    "headers json, payload bytea, ex_content bytea, fail_flag boolean NOT NULL, retry smallint NOT NULL, "
    "last_retry_status boolean NOT NULL)";

support::postgresql_table make_table(shape of, const support::own_schema* own) {
    using support::postgresql_table;
    switch (of) {
        case shape::nine:
            return postgresql_table::of(nine_columns("routing_key varchar(255) NOT NULL, try_count int NOT NULL,"));
        case shape::narrow:
            return altered("ALTER COLUMN try_count TYPE smallint, ALTER COLUMN last_error TYPE varchar(20)");
        case shape::bytes: return altered("ALTER COLUMN msg TYPE bytea USING convert_to(msg, 'UTF8')");
        case shape::lacking: return postgresql_table::of(nine_columns());
        case shape::none: return postgresql_table::of("SELECT 1");
        case shape::classic_ledger:
            support::postgresql().execute(fmt::format(classic_ledger, own->name()));
            return postgresql_table::recommended(own->name());
        case shape::recommended:
        case shape::unpadded: break;
    }
    return postgresql_table::recommended();
}

class postgresql_subject final : public subject {
  public:
    explicit postgresql_subject(shape of)
        : own_(of == shape::classic_ledger ? std::make_unique<support::own_schema>() : nullptr),
          table_(make_table(of, own_.get())) {}

    std::unique_ptr<outbox::store> open(const outbox::store_options& options) override {
        return outbox::make_store(table_.settings(), options);
    }
    std::unique_ptr<connection> connect() override { return std::make_unique<postgresql_connection>(); }
    conf::database nowhere() const override {
        conf::database settings;
        settings.url = "postgresql://nobody:topsecret@127.0.0.1:1/nothing";
        settings.connect_timeout = std::chrono::seconds(1);
        return settings;
    }

    std::string kind() const override { return "postgresql"; }
    std::string table() const override { return table_.name(); }
    std::string ledger() const override { return (own_ ? own_->name() + "." : "") + "sys_mq_fail"; }
    std::string flag(bool set) const override { return set ? "true" : "false"; }
    std::string now() const override { return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"; }
    std::string text(std::string_view utf8) const override { return support::postgresql_text(utf8); }
    std::string blob(std::string_view bytes) const override { return support::postgresql_bytes(bytes); }
    bool holds_nul() const override { return false; }
    std::int64_t narrow_tries() const override { return 32'767; }

    std::function<void()> cutter(outbox::store& of) override {
        // A store that is connected already is asked to leave no doubt which connection is its own.
        const auto others = server_.text("SELECT COALESCE(string_agg(pid::text, ','), '0') FROM pg_stat_activity");
        of.migration_status();
        const auto its = server_.rows(fmt::format(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'outbox' AND application_name LIKE 'outbox-sidecar%' AND "
            "pid NOT IN ({})",
            others));
        if (its.size() != 1) throw std::logic_error("the store must not have connected before");
        return [pid = its.front().front().value()] {
            support::postgresql killer(support::postgresql::account::root);
            killer.execute(fmt::format("SELECT pg_terminate_backend({})", pid));
            while (killer.number("SELECT COUNT(*) FROM pg_stat_activity WHERE pid = " + pid) != 0)
                killer.execute("SELECT pg_sleep(0.005)");
        };
    }

    // The server's counters are brought up to date only once a second or so.
    std::optional<std::uint64_t> rows_examined() override { return std::nullopt; }

    void apply_by_hand(const std::string& script) override {
        const auto command =
            fmt::format("psql -X -q -v ON_ERROR_STOP=1 -f - '{}' >/dev/null 2>&1", support::postgresql_url());
        FILE* client = popen(command.c_str(), "w");
        if (client == nullptr) throw std::runtime_error("no client");
        const bool written = std::fwrite(script.data(), 1, script.size(), client) == script.size();
        if (pclose(client) != 0 || !written) throw std::runtime_error("the client refused the script");
    }

    std::string definition() override {
        std::string text;
        const auto add = [&](const std::string& sql) {
            for (const auto& one : server_.rows(in(sql))) text += one.front().value_or("NULL") + "\n";
        };
        add("SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, "
            "pg_get_expr(adbin, adrelid)) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = "
            "attnum WHERE attrelid = '{}'::regclass AND attnum > 0 ORDER BY attnum");
        add("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '{}'::regclass ORDER BY 1");
        add("SELECT array_to_string(reloptions, ' ') FROM pg_class WHERE oid = '{}'::regclass");
        const auto& name = table_.name();
        for (auto at = text.find(name); at != text.npos; at = text.find(name)) text.replace(at, name.size(), "…");
        return text;
    }

    std::vector<column_facts> columns(const std::string& table) override {
        return to_columns(server_.rows(fmt::format(
            "SELECT a.attname, CAST(NOT a.attnotnull AS int), CAST(a.atthasdef OR a.attidentity <> '' AS int), "
            "COALESCE((SELECT k.place FROM pg_index AS x CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k "
            "(attnum, place) WHERE x.indrelid = a.attrelid AND x.indisprimary AND k.attnum = a.attnum), 0) "
            "FROM pg_attribute AS a WHERE a.attrelid = '{}'::regclass AND a.attnum > 0 AND NOT a.attisdropped "
            "ORDER BY a.attnum",
            table)));
    }

  private:
    std::unique_ptr<support::own_schema> own_;  // when the ledger is to be its own
    support::postgresql_table table_;
    support::postgresql server_;
};

}  // namespace

kind_of_database postgresql() {
    return {"PostgreSQL " + support::postgresql().text("SELECT current_setting('server_version')"),
            [](shape of) -> std::unique_ptr<subject> { return std::make_unique<postgresql_subject>(of); }};
}

}  // namespace contract
