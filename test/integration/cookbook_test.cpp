// schema/cookbook.sql: each recipe does what it says, beside a sidecar that runs.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "test/support/broker.hpp"
#include "test/support/environment.hpp"
#include "test/support/sidecar.hpp"
#include "test/support/waiting.hpp"

using support::eventually;

namespace {

/// The statements of the cookbook by their names, without comments and semicolons.
std::map<std::string, std::string> recipes() {
    std::ifstream in(OUTBOX_SCHEMA "/cookbook.sql");
    REQUIRE(in);
    std::map<std::string, std::string> result;
    std::string line, name;
    static const std::regex heading("-- \\[([a-z-]+)\\] .*");
    while (std::getline(in, line)) {
        std::smatch match;
        if (std::regex_match(line, match, heading)) {
            name = match[1];
            CHECK_MESSAGE(result.emplace(name, "").second, "twice: " << name);
        } else if (!line.starts_with("--") && !line.empty()) {
            REQUIRE(!name.empty());
            REQUIRE_MESSAGE(!result[name].ends_with(';'), "two statements under " << name);
            result[name] += (result[name].empty() ? "" : "\n") + line;
        }
    }
    for (auto& [which, statement] : result) {
        REQUIRE_MESSAGE(statement.ends_with(';'), which);
        statement.pop_back();
    }
    return result;
}

bool reads(const std::string& statement) { return statement.starts_with("SELECT "); }

/// The recommended tables under their own names, in a database of their own.
class kitchen {
  public:
    kitchen() : recipes_(recipes()) {
        auto url = support::mysql_url();
        url.replace(url.rfind('/'), std::string::npos, "/" + own_.name());
        env_ = {
            {"OUTBOX_DATABASE_URL", url}, {"OUTBOX_BROKER_URLS", support::amqp_url()}, {"OUTBOX_LOG_FORMAT", "json"}};
        REQUIRE(support::run_sidecar({"migrate"}, env_).code == 0);
        server.execute("USE " + own_.name());
    }

    /// For this message and exchange.
    std::string recipe(const std::string& name, const std::string& id = "m", const std::string& exchange = "orders") {
        REQUIRE_MESSAGE(recipes_.contains(name), name);
        tried_.insert(name);
        auto sql = std::regex_replace(recipes_[name], std::regex("THE-ID"), id);
        return std::regex_replace(sql, std::regex("'orders'"), "'" + exchange + "'");
    }
    std::vector<support::row> look(const std::string& name) { return server.rows(recipe(name)); }
    std::uint64_t change(const std::string& name, const std::string& id = "m", const std::string& exchange = "orders") {
        return server.execute(recipe(name, id, exchange));
    }

    /// A row of this status; `more` sets other columns, and may be about `now` in milliseconds.
    void put(const std::string& id, int status, const std::string& more = {}, const std::string& exchange = "orders") {
        server.execute(
            fmt::format("INSERT INTO msg_log SET id = '{}', msg = '{{}}', exchange = '{}', routing_key = 'key', "
                        "status = {}{}",
                        id, exchange, status, more.empty() ? "" : ", " + more));
    }
    int status_of(const std::string& id) {
        return static_cast<int>(server.number("SELECT status FROM msg_log WHERE id = '" + id + "'"));
    }
    std::size_t rows(const std::string& condition) {
        return static_cast<std::size_t>(server.number("SELECT COUNT(*) FROM msg_log WHERE " + condition));
    }

    const std::map<std::string, std::string>& all() const { return recipes_; }
    const std::set<std::string>& tried() const { return tried_; }
    const support::variables& env() const { return env_; }

    support::database server;

  private:
    support::own_database own_;
    support::variables env_;
    std::map<std::string, std::string> recipes_;
    std::set<std::string> tried_;
};

constexpr auto hour_ago = "(UNIX_TIMESTAMP() - 3601) * 1000";
constexpr auto in_an_hour = "next_try_time = (UNIX_TIMESTAMP() + 3500) * 1000";

}  // namespace

TEST_SUITE("cookbook") {
    TEST_CASE("every recipe that looks finds what it is about") {
        kitchen at;
        at.put("m", 0, fmt::format("next_try_time = {0}, create_time = {0}, update_time = {0}", hour_ago));
        at.put("retrying", 0, fmt::format("{}, try_count = 2, last_error = '312 NO_ROUTE'", in_an_hour));
        at.put("delayed", 0, fmt::format("{}, order_key = 'k'", in_an_hour));
        at.put("behind", 0, "order_key = 'k', next_try_time = 0, create_time = UNIX_TIMESTAMP() * 1000 + 60000");
        at.put("failed", 2, "last_error = '404 NOT_FOUND'");
        at.put("delivered", 1);
        at.put("unconsumed", 1, fmt::format("update_time = {}", hour_ago));
        at.server.execute(
            "INSERT INTO sys_mq_fail (topic, message_id, ex_content, fail_flag, retry, last_retry_status, "
            "create_time) VALUES ('orders', 'failed', '404 NOT_FOUND', 0, 0, 0, 1)");
        at.server.execute(
            "INSERT INTO msg_lane (table_name, lane, lanes, owner, expires) VALUES "
            "('msg_log', 0, 1, 'somebody', (UNIX_TIMESTAMP() + 10) * 1000)");

        const auto only = [&](const std::string& name) {
            const auto found = at.look(name);
            REQUIRE_MESSAGE(found.size() == 1, name);
            return found[0];
        };
        CHECK(at.look("backlog").size() == 3);
        CHECK(only("oldest-due")[0] == "2");
        CHECK(std::stod(*only("oldest-due")[1]) >= 3600);
        CHECK(only("stuck")[2] == "1");
        CHECK(only("retrying")[0] == "retrying");
        CHECK(only("delayed")[0] == "delayed");
        CHECK(only("failures-by-reason")[2] == "404 NOT_FOUND");
        CHECK(only("message")[0] == "m");
        CHECK(only("ledger")[9] == "404 NOT_FOUND");
        CHECK(only("lanes")[3] == "somebody");
        CHECK(only("throughput")[1] == "1");
        CHECK(at.look("growth").size() >= 1);
        CHECK(only("size")[0]);
        CHECK(only("unconsumed")[0] == "unconsumed");
        const auto blocked = only("blocked-keys");
        CHECK(blocked[0] == "k");
        CHECK(blocked[1] == "delayed");
        support::database root(support::database::account::root);
        root.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
        root.rows("SELECT COUNT(*) FROM " + at.server.text("SELECT DATABASE()") + ".msg_log");
        CHECK(root.rows(at.recipe("long-transactions")).size() >= 1);

        for (const auto& [name, statement] : at.all())
            CHECK_MESSAGE(reads(statement) == at.tried().contains(name), name);
    }

    TEST_CASE("every recipe that changes something changes that, no more than a thousand rows, and no others") {
        kitchen at;
        for (const auto& [name, statement] : at.all()) {
            if (reads(statement)) continue;
            CAPTURE(name);
            CHECK((statement.find("id = 'THE-ID'") != statement.npos || statement.ends_with("LIMIT 1000")));
            CHECK((statement.find("status") != statement.npos || name == "trim-ledger"));
        }
        at.put("m", 2, "try_count = 3");
        CHECK(at.change("requeue-one") == 1);
        CHECK(at.rows("id = 'm' AND status = 0 AND try_count = 0 AND next_try_time = 0") == 1);
        CHECK(at.change("requeue-one") == 0);

        at.put("returned", 2, "try_count = 3, last_error = '312 NO_ROUTE'");
        at.put("elsewhere", 2, "try_count = 3, last_error = '312 NO_ROUTE'", "others");
        at.put("refused", 2, "try_count = 3, last_error = 'nack'");
        CHECK(at.change("requeue-many") == 1);
        CHECK(at.status_of("returned") == 0);

        at.put("retrying", 0, fmt::format("{}, try_count = 2", in_an_hour));
        at.put("delayed", 0, in_an_hour);
        CHECK(at.change("try-now") == 1);
        CHECK(at.rows("id = 'retrying' AND next_try_time = 0 AND try_count = 2") == 1);

        CHECK(at.change("consumed") == 1);
        CHECK(at.status_of("m") == 3);
        CHECK(at.change("consumed", "refused") == 0);
        CHECK(at.change("give-up", "refused") == 1);
        CHECK(at.status_of("refused") == 3);

        CHECK(at.change("pause-exchange") == 2);  // returned, retrying; not what is put off already
        CHECK(at.rows("status = 0 AND exchange = 'orders' AND next_try_time > UNIX_TIMESTAMP() * 1000") == 3);
        CHECK(at.change("resume-exchange") == 2);  // returned and delayed; a retry waits for its time
        CHECK(at.change("try-now") == 1);

        at.put("old", 1, "update_time = (UNIX_TIMESTAMP() - 8 * 86400) * 1000");
        at.put("old but failed", 2, "update_time = (UNIX_TIMESTAMP() - 8 * 86400) * 1000");
        CHECK(at.change("delete-old") == 1);
        CHECK(at.rows("id = 'old'") == 0);

        for (const auto* filed : {"1", "UNIX_TIMESTAMP() * 1000"})
            at.server.execute(
                fmt::format("INSERT INTO sys_mq_fail (topic, fail_flag, retry, last_retry_status, "
                            "create_time) VALUES ('orders', 0, 0, 0, {})",
                            filed));
        CHECK(at.change("trim-ledger") == 1);

        for (const auto& [name, statement] : at.all())
            CHECK_MESSAGE(!reads(statement) == at.tried().contains(name), name);
    }

    TEST_CASE("beside a running sidecar what is put back is sent, and what is held back is not") {
        kitchen at;
        support::broker rabbit;
        const support::route to(rabbit);
        at.put("held", 0, "", to.exchange());
        CHECK(at.change("pause-exchange", "m", to.exchange()) == 1);
        support::sidecar_process sidecar({}, at.env());
        for (int i = 0; i < 1500; ++i)
            at.put(fmt::format("f{}", i), 2, "try_count = 3, last_error = '312 NO_ROUTE'", to.exchange());
        std::uint64_t changed = 0;
        while (const auto some = at.change("requeue-many", "m", to.exchange())) changed += some;
        CHECK(changed == 1500);
        CHECK(eventually([&] { return at.rows("status = 1") == 1500; }));
        CHECK(rabbit.depth(to.queue()) == 1500);
        CHECK(at.status_of("held") == 0);
        CHECK(at.change("resume-exchange", "m", to.exchange()) == 1);
        CHECK(eventually([&] { return at.status_of("held") == 1; }));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
    }
}
