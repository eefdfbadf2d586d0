// SQLite: others who write at the same time, and values that only SQLite would store.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>

#include "outbox/store.hpp"
#include "test/support/sqlite_file.hpp"

namespace {

using outbox::finding;
using outbox::settlement;
using support::sqlite_connection;
using support::sqlite_file;
using namespace std::chrono_literals;

std::unique_ptr<outbox::store> open(const sqlite_file& file) { return outbox::make_store(file.settings(), {}); }

settlement delivered(std::string id) { return {std::move(id), settlement::kind::delivered, 0, {}, {}}; }

constexpr auto short_insert = "INSERT INTO msg_log (msg, exchange, routing_key) VALUES ('{}', 'e', 'k')";

pid_t insert_in_another_process(const sqlite_file& file, int rows) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child > 0) return child;
    try {
        sqlite_connection application(file.path());
        for (int i = 0; i < rows; ++i) {
            application.execute("BEGIN");
            application.execute(short_insert);
            application.execute("COMMIT");
        }
        ::_exit(0);
    } catch (const std::exception&) {
        ::_exit(1);
    }
}

std::string all(sqlite_connection& from, const std::string& sql) {
    std::string text;
    for (const auto& row : from.rows(sql)) text += (text.empty() ? "" : " ") + row.front().value_or("NULL");
    return text;
}

finding about(outbox::store& store, const std::string& subject, const std::string& of = "") {
    for (auto& one : store.examine()) {
        if (one.subject == subject && one.found.find(of) != of.npos) return one;
    }
    return {finding::grade::good, "none", "", ""};
}

TEST_CASE("sqlite: while other processes insert, each of their rows is read and settled once, and none fails") {
    const sqlite_file file;
    constexpr int each = 300;
    open(file)->migrate();
    // No connection of this process may live on in the others.
    const std::array children{insert_in_another_process(file, each), insert_in_another_process(file, each)};
    const auto reader = open(file);
    const auto settler = open(file);
    std::multiset<std::string> seen;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (seen.size() < 2 * each && std::chrono::steady_clock::now() < deadline) {
        std::vector<settlement> batch;
        for (const auto& row : reader->due({}, 50).rows) {
            seen.insert(row.id);
            batch.push_back(delivered(row.id));
        }
        for (bool settled = batch.empty(); !settled;) {
            try {
                const auto changed = settler->settle(batch);
                CHECK(changed == batch.size());
                settled = true;
            } catch (const outbox::store_busy&) {  // the others had the lock for longer than it is waited for
            }
        }
    }
    for (const auto child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(status == 0);
    }
    CHECK(seen.size() == 2 * each);
    CHECK(std::set(seen.begin(), seen.end()).size() == 2 * each);
    sqlite_connection look(file.path());
    CHECK(all(look, "SELECT DISTINCT status FROM msg_log") == "1");
    CHECK(all(look, "PRAGMA integrity_check") == "ok");
}

TEST_CASE("sqlite: a file that somebody has locked for longer than is waited for is busy, and reading goes on") {
    const sqlite_file file;
    const auto store = open(file);
    store->migrate();
    sqlite_connection application(file.path());
    application.execute("INSERT INTO msg_log (id, msg, exchange, routing_key) VALUES ('a', '{}', '', 'q')");
    application.execute(
        "INSERT INTO msg_log (id, msg, exchange, routing_key, status, update_time) "
        "VALUES ('b', '{}', '', 'q', 1, 1)");
    application.execute("BEGIN IMMEDIATE");
    CHECK_THROWS_AS(store->settle(std::array{delivered("a")}), outbox::store_busy);
    CHECK_THROWS_AS(store->settle(std::array{settlement{"a", settlement::kind::failed, 1, {}, "why"}}),
                    outbox::store_busy);
    CHECK_THROWS_AS(store->purge(outbox::status::delivered, 1h, 10), outbox::store_busy);
    CHECK_THROWS_AS(store->migrate(), outbox::store_busy);
    CHECK(store->due({}, 10).rows.size() == 1);
    application.execute("ROLLBACK");
    CHECK(all(application, "SELECT status FROM msg_log ORDER BY id") == "0 1");
    CHECK(store->settle(std::array{delivered("a")}) == 1);
    CHECK(store->purge(outbox::status::delivered, 1h, 10) == 1);
}

TEST_CASE("sqlite: ids are made as UUIDs of version 4, and times are this moment's, to the millisecond") {
    const sqlite_file file;
    open(file)->migrate();
    sqlite_connection application(file.path());
    const auto clock = [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    };
    for (int i = 0; i < 200; ++i) {
        const auto before = clock();
        application.execute(short_insert);
        const auto after = clock();
        const auto row = application.rows("SELECT id, create_time FROM msg_log ORDER BY rowid DESC LIMIT 1").front();
        const auto& id = row[0].value();
        CAPTURE(id);
        REQUIRE(id.size() == 36);
        CHECK(id.find_first_not_of("0123456789abcdef-") == id.npos);
        CHECK((id[8] == '-' && id[13] == '-' && id[14] == '4' && id[18] == '-' && id[23] == '-'));
        CHECK(std::string("89ab").find(id[19]) != std::string::npos);
        CHECK(std::stoll(row[1].value()) >= before);
        CHECK(std::stoll(row[1].value()) <= after);
    }
}

TEST_CASE("sqlite: what nobody would ever find due is refused when it is inserted") {
    const sqlite_file file;
    open(file)->migrate();
    sqlite_connection application(file.path());
    for (const char* values : {"x'00', 0, 0, 0", "'a', 'new', 0, 0", "'a', 0, 'none', 0", "'a', 0, 0, 'soon'",
                               "'a', 0, 0, 1.5", "NULL, 0, 0, 0"}) {
        CAPTURE(values);
        CHECK_THROWS(application.execute(
            std::string("INSERT INTO msg_log (msg, id, status, try_count, next_try_time) VALUES ('{}', ") + values +
            ")"));
    }
    application.execute(
        "INSERT INTO msg_log (msg, id, status, try_count, next_try_time) VALUES ('{}', 7, '0', 0.0, 1e3)");
    CHECK(open(file)->due({}, 10).rows.size() == 1);
}

TEST_CASE("sqlite: in a column for bytes, ids of any bytes are read in order and settled") {
    const sqlite_file file;
    sqlite_connection application(file.path());
    application.execute(
        "CREATE TABLE msg_log (id blob PRIMARY KEY, msg, exchange, routing_key, status int, try_count int, "
        "next_try_time bigint, create_time bigint, update_time bigint)");
    application.execute(
        "INSERT INTO msg_log (id, msg, status, try_count, next_try_time) VALUES (x'00', '', 0, 0, 1), "
        "(x'00FF', '', 0, 0, 1), (x'', '', 0, 0, 1), (x'C328', x'00FF27', 0, 0, 1), (x'61', '', 0, 0, 1), "
        "('a', 'of another kind', 0, 0, 1), (NULL, 'without an id', 0, 0, 1)");
    const auto store = open(file);
    std::vector<std::string> ids;
    outbox::position at;
    for (bool complete = false; !complete;) {
        const auto page = store->due(at, 1);
        for (const auto& row : page.rows) ids.push_back(row.id);
        at = page.next;
        complete = page.complete;
        REQUIRE(ids.size() < 10);
    }
    using namespace std::string_literals;
    CHECK(ids == std::vector{""s, "\0"s, "\0\xFF"s, "a"s, "\xC3\x28"s});
    CHECK(store->settle(std::array{delivered("\0\xFF"s), settlement{"a", settlement::kind::failed, 3, {}, "why"}}) ==
          2);
    CHECK(all(application, "SELECT hex(id) FROM msg_log WHERE status <> 0 ORDER BY id") == "00FF 61");
    CHECK(about(*store, "rows", "id").level == finding::grade::problem);
    CHECK(about(*store, "rows", "id").found.starts_with("2 "));
}

TEST_CASE("sqlite: times with fractions, as arithmetic on julian days makes them, are due and lead to an end") {
    const sqlite_file file;
    sqlite_connection application(file.path());
    application.execute(
        "CREATE TABLE msg_log (id text PRIMARY KEY, msg, exchange, routing_key, status int, try_count int, "
        "next_try_time, create_time, update_time)");
    for (const char* id : {"a", "b", "c", "d"})
        application.execute(std::string("INSERT INTO msg_log VALUES ('") + id +
                            "', '', '', '', 0, 0, (julianday('now') - 2440587.5) * 86400000 - 1000.37, 1, 1)");
    const auto store = open(file);
    std::size_t settled = 0;
    for (int sweeps = 0; settled < 4; ++sweeps) {
        REQUIRE(sweeps < 10);
        outbox::position at;
        for (bool complete = false; !complete;) {
            const auto page = store->due(at, 1);
            for (const auto& row : page.rows) settled += store->settle(std::array{delivered(row.id)});
            REQUIRE((page.complete || page.next != at));
            at = page.next;
            complete = page.complete;
        }
    }
    CHECK(all(application, "SELECT DISTINCT status FROM msg_log") == "1");
}

TEST_CASE("sqlite: the examination is content with what migrate makes, and changes nothing") {
    const sqlite_file file;
    const auto store = open(file);
    store->migrate();
    sqlite_connection look(file.path());
    look.execute(short_insert);
    const auto version = all(look, "PRAGMA data_version");
    for (const auto& one : open(file)->examine()) {
        CAPTURE(one.subject);
        CAPTURE(one.found);
        CHECK(one.level == finding::grade::good);
    }
    CHECK(all(look, "PRAGMA data_version") == version);
}

TEST_CASE("sqlite: the examination finds what is missing, and its statements and migrate are the cure") {
    const sqlite_file file;
    sqlite_connection application(file.path());
    application.execute(
        "CREATE TABLE msg_log (id text NOT NULL, msg text, exchange text, routing_key text, status int, try_count int, "
        "next_try_time bigint, create_time bigint, update_time bigint)");
    const auto store = open(file);
    for (const char* subject :
         {"journal mode", "optional columns", "unique id", "index for due rows", "index for purging",
          "several sidecars", "failure ledger", "plan for reading due rows", "plan for purging"}) {
        CAPTURE(subject);
        CHECK(about(*store, subject).level != finding::grade::good);
    }
    for (const auto& one : store->examine()) {
        const auto sql = one.advice.find('\n');
        if (sql != std::string::npos) application.execute(one.advice.substr(sql));
    }
    store->migrate();
    for (const auto& one : open(file)->examine()) {
        CAPTURE(one.subject);
        CAPTURE(one.found);
        CHECK(one.level == finding::grade::good);
    }
}

}  // namespace
