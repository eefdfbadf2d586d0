#include "test/contract/mysql_subject.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <set>
#include <stdexcept>

#include "conf/url.hpp"
#include "test/support/database.hpp"

namespace contract {
namespace {

class mysql_connection final : public connection {
  public:
    std::uint64_t execute(const std::string& sql) override { return server_.execute(sql); }
    std::vector<row> rows(const std::string& sql) override { return server_.rows(sql); }

  private:
    support::database server_;
};

std::string nine_columns(std::string_view others = "") {
    return fmt::format(
        "CREATE TABLE {{}} (id varchar(255) NOT NULL PRIMARY KEY, msg longtext, exchange varchar(255) NOT NULL, {} "
        "status int NOT NULL, next_try_time bigint, create_time bigint, update_time bigint) "
        "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        others);
}

support::table altered(const std::string& how) {
    auto made = support::table::recommended();
    support::database().execute(made.in("ALTER TABLE {} " + how));
    return made;
}

// As applications have it that file their failures by themselves.
constexpr auto classic_ledger =
    "CREATE TABLE {}.sys_mq_fail (id bigint NOT NULL PRIMARY KEY, custom_message_id varchar(36), tags varchar(50), "
    "topic varchar(50) NOT NULL, message_id varchar(36), message_key varchar(50), message_create_time datetime, "
    "headers json, payload longblob, ex_content longblob, fail_flag bit(1) NOT NULL, retry smallint NOT NULL, "
    "last_retry_status bit(1) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8";

support::table make_table(shape of, const support::own_database* own) {
    using support::table;
    switch (of) {
        case shape::recommended: break;
        case shape::nine: return table::of(nine_columns("routing_key varchar(255) NOT NULL, try_count int NOT NULL,"));
        case shape::narrow:
            return altered("MODIFY try_count tinyint NOT NULL DEFAULT 0, MODIFY last_error varchar(20)");
        case shape::bytes: return altered("MODIFY msg longblob NOT NULL");
        case shape::unpadded: {
            support::database server;
            return altered("MODIFY id varchar(255) CHARACTER SET utf8mb4 COLLATE " +
                           support::unpadded_collation(server));
        }
        case shape::lacking: return table::of(nine_columns());
        case shape::none: return table::of("DO 1");
        case shape::classic_ledger:
            support::database().execute(fmt::format(classic_ledger, own->name()));
            return table::recommended(own->name());
    }
    return table::recommended();
}

class mysql_subject final : public subject {
  public:
    explicit mysql_subject(shape of)
        : own_(of == shape::classic_ledger ? std::make_unique<support::own_database>() : nullptr),
          table_(make_table(of, own_.get())) {}

    std::unique_ptr<outbox::store> open(const outbox::store_options& options) override {
        return outbox::make_store(table_.settings(), options);
    }
    std::unique_ptr<connection> connect() override { return std::make_unique<mysql_connection>(); }

    conf::database nowhere() const override {
        conf::database settings;
        settings.url = "mysql://nobody:topsecret@127.0.0.1:1/nothing";
        settings.connect_timeout = std::chrono::seconds(1);
        return settings;
    }

    std::string kind() const override { return "mysql"; }
    std::string table() const override { return table_.name(); }
    std::string ledger() const override { return (own_ ? own_->name() + "." : "") + "sys_mq_fail"; }
    std::string flag(bool set) const override { return set ? "1" : "0"; }
    std::string now() const override { return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"; }
    std::string text(std::string_view utf8) const override { return support::utf8(utf8); }
    std::string blob(std::string_view bytes) const override { return support::bytes(bytes); }

    std::function<void()> cutter(outbox::store& of) override {
        support::database root(support::database::account::root);
        const auto ids = [&] {
            std::set<std::string> all;
            for (const auto& one : root.rows("SELECT id FROM information_schema.processlist WHERE user <> 'root'"))
                all.insert(*one.front());
            return all;
        };
        // A store that is connected already is asked to leave no doubt which connection is its own.
        const auto before = ids();
        of.migration_status();
        auto after = ids();
        for (const auto& one : before) after.erase(one);
        if (after.size() != 1) throw std::logic_error("the store must not have connected before");
        return [id = *after.begin()] {
            support::database killer(support::database::account::root);
            killer.execute("KILL CONNECTION " + id);
            const auto left = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + id;
            while (killer.number(left) != 0) killer.execute("DO SLEEP(0.005)");
        };
    }

    std::optional<std::uint64_t> rows_examined() override {
        return static_cast<std::uint64_t>(support::entries_read(counters_));
    }

    void apply_by_hand(const std::string& script) override {
        const auto url = conf::parse_url(support::mysql_url());
        const auto command =
            fmt::format("MYSQL_PWD='{}' mariadb --no-defaults --protocol=tcp -h '{}' -P {} -u '{}' '{}' 2>&1",
                        url.password.value_or(""), url.host, url.port, url.user, url.database());
        FILE* client = popen(command.c_str(), "w");
        if (client == nullptr) throw std::runtime_error("no client");
        const bool written = std::fwrite(script.data(), 1, script.size(), client) == script.size();
        if (pclose(client) != 0 || !written) throw std::runtime_error("the client refused the script");
    }

    std::string definition() override {
        auto text = support::database().rows(table_.in("SHOW CREATE TABLE {}")).front().at(1).value();
        const auto name = text.find(table_.name());
        return text.replace(name, table_.name().size(), "…");
    }

    std::vector<column_facts> columns(const std::string& table) override {
        return to_columns(support::database().rows(fmt::format(
            "SELECT c.column_name, c.is_nullable = 'YES', COALESCE(c.column_default, 'NULL') <> 'NULL' OR "
            "c.extra LIKE '%auto_increment%', COALESCE(k.seq_in_index, 0) FROM information_schema.columns AS c "
            "LEFT JOIN information_schema.statistics AS k ON k.table_schema = c.table_schema AND k.table_name = "
            "c.table_name AND k.column_name = c.column_name AND k.index_name = 'PRIMARY' "
            "WHERE c.table_schema = DATABASE() AND c.table_name = '{}' ORDER BY c.ordinal_position",
            table)));
    }

  private:
    std::unique_ptr<support::own_database> own_;  // when the ledger is to be its own
    support::table table_;
    support::database counters_;
};

}  // namespace

kind_of_database mysql() {
    return {support::database().text("SELECT VERSION()"),
            [](shape of) -> std::unique_ptr<subject> { return std::make_unique<mysql_subject>(of); }};
}

}  // namespace contract
