// SQLite: the file is not there, is another's, can't be used, or is exchanged under the sidecar's feet.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "outbox/store.hpp"
#include "test/support/sqlite_file.hpp"

namespace {

namespace fs = std::filesystem;
using support::sqlite_connection;
using support::sqlite_file;
using namespace std::chrono_literals;

std::unique_ptr<outbox::store> open(const sqlite_file& file) { return outbox::make_store(file.settings(), {}); }

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != text.npos; }

template <class Error>
std::string what_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

const std::array settled_a{outbox::settlement{"a", outbox::settlement::kind::delivered, 0, {}, {}}};

const std::array<std::function<void(outbox::store&)>, 9> all_but_migrate{
    [](outbox::store& s) { s.due({}, 10); },
    [](outbox::store& s) { s.settle(settled_a); },
    [](outbox::store& s) { s.purge(outbox::status::delivered, 1h, 10); },
    [](outbox::store& s) { s.purgeable(outbox::status::delivered, 1h); },
    [](outbox::store& s) { s.backlog(); },
    [](outbox::store& s) { s.examine(); },
    [](outbox::store& s) { s.migration_status(); },
    [](outbox::store& s) { s.has_leases(); },
    [](outbox::store& s) { s.pending_exchanges(10); },
};

void insert(sqlite_connection& into, const std::string& id) {
    into.execute("INSERT INTO msg_log (id, msg, exchange, routing_key) VALUES ('" + id + "', '{}', '', 'q')");
}

// Rights are not for root, as whom tests may run: somebody else then, until the end.
class unprivileged {
  public:
    explicit unprivileged(const sqlite_file& file) {
        if (!root_) return;
        for (const auto& one : fs::directory_iterator(file.folder())) ::chmod(one.path().c_str(), 0666);
        ::chmod(file.folder().c_str(), 0777);
        REQUIRE(::seteuid(65534) == 0);
    }
    ~unprivileged() {
        if (root_ && ::seteuid(0) != 0) std::abort();
    }
    unprivileged(const unprivileged&) = delete;
    unprivileged& operator=(const unprivileged&) = delete;

    static void as_owner(const std::function<void()>& work) {
        const bool root = ::getuid() == 0;
        if (root && ::seteuid(0) != 0) std::abort();
        work();
        if (root && ::seteuid(65534) != 0) std::abort();
    }

  private:
    const bool root_ = ::geteuid() == 0;
};

TEST_CASE("sqlite: a file that is not there is waited for, and nobody but migrate makes it") {
    const sqlite_file file;
    const auto store = open(file);
    for (const auto& call : all_but_migrate) {
        const auto what = what_of<outbox::store_unavailable>([&] { call(*store); });
        CHECK(contains(what, file.path()));
        CHECK(contains(what, "migrate"));
    }
    CHECK_FALSE(store->migration_script().empty());
    CHECK(files_in(file.folder()) == 0);

    open(file)->migrate();
    sqlite_connection application(file.path());
    insert(application, "a");
    CHECK(store->due({}, 10).rows.size() == 1);
    CHECK(application.rows("PRAGMA journal_mode").front().front() == "wal");
}

TEST_CASE("sqlite: two that make the same file at the same time both end well") {
    for (int round = 0; round < 10; ++round) {
        const sqlite_file file;
        const auto here = open(file);
        pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                open(file)->migrate();
                ::_exit(0);
            } catch (const std::exception&) {
                ::_exit(1);
            }
        }
        CHECK_NOTHROW(here->migrate());
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
}

TEST_CASE("sqlite: what can never be a database is refused before anything is opened, and is named") {
    const sqlite_file file;
    const auto refusal = [&](const std::string& url, const std::function<void(conf::database&)>& change) {
        auto settings = file.settings();
        settings.url = url;
        change(settings);
        return what_of<std::invalid_argument>([&] { outbox::make_store(settings, {}); });
    };
    const auto nothing = [](conf::database&) {};
    const auto url = "sqlite://" + file.path();
    CHECK(contains(refusal("sqlite://" + file.folder(), nothing), file.folder() + " is not a file"));
    CHECK(contains(refusal("sqlite:///no/such/folder/x.db", nothing), "there is no folder /no/such/folder"));
    CHECK(contains(refusal(url + "/x.db", nothing), "there is no folder " + file.path()));
    REQUIRE(::mkfifo((file.folder() + "/pipe").c_str(), 0600) == 0);
    CHECK(contains(refusal("sqlite://" + file.folder() + "/pipe", nothing), "is not a file"));
    CHECK(contains(refusal(url, [](auto& s) { s.password.value = "x"; }), "no accounts"));
    CHECK(contains(refusal(url, [](auto& s) { s.tls_use = conf::tls_mode::required; }), "tls"));
    CHECK(contains(refusal(url, [](auto& s) { s.table = "shop.msg_log"; }), "no schemas"));
    CHECK(refusal(url, nothing) == "nothing was thrown");
    CHECK(files_in(file.folder()) == 1);
}

TEST_CASE("sqlite: names of files are taken as they are") {
    const sqlite_file file;
    for (const char* name :
         {"with%20space", "what%3Fmode=ro", "hash%23", "per%25cent", "quote'\"", "%C3%BC", "a&b=c"}) {
        CAPTURE(name);
        auto settings = file.settings();
        settings.url = "sqlite://" + file.folder() + "/" + name;
        outbox::make_store(settings, {})->migrate();
        CHECK(outbox::make_store(settings, {})->due({}, 10).complete);
    }
    CHECK(fs::exists(file.folder() + "/what?mode=ro"));
    CHECK(fs::exists(file.folder() + "/quote'\""));
}

TEST_CASE("sqlite: a file of another kind is told apart, and stays as it was") {
    const sqlite_file file;
    const std::string text = "This is a diary, and was never meant to hold messages. " + std::string(5'000, '.');
    std::ofstream(file.path()) << text;
    const auto store = open(file);
    for (const auto& call : all_but_migrate)
        CHECK(contains(what_of<outbox::store_unusable>([&] { call(*store); }), "not a database"));
    CHECK_THROWS_AS(store->migrate(), outbox::store_unusable);
    std::ifstream in(file.path());
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == text);
    CHECK(files_in(file.folder()) == 1);
}

TEST_CASE("sqlite: a file that can't be written to is of no use, until it can") {
    const sqlite_file file;
    open(file)->migrate();
    sqlite_connection application(file.path());
    insert(application, "a");
    const unprivileged now(file);
    const auto store = open(file);
    CHECK(store->due({}, 10).rows.size() == 1);
    unprivileged::as_owner([&] { ::chmod(file.path().c_str(), 0444); });
    const auto other = open(file);
    const auto what = what_of<outbox::store_unavailable>([&] { other->due({}, 10); });
    CHECK(contains(what, file.path() + " can't be written to"));
    unprivileged::as_owner([&] {
        ::chmod(file.path().c_str(), 0666);
        ::chmod(file.folder().c_str(), 0555);
    });
    CHECK(contains(what_of<outbox::store_unavailable>([&] { open(file)->due({}, 10); }), file.folder() + " can't be"));
    unprivileged::as_owner([&] { ::chmod(file.folder().c_str(), 0777); });
    CHECK(other->settle(settled_a) == 1);
}

TEST_CASE("sqlite: a file that was replaced by another is noticed, and the other is worked on and comes to no harm") {
    const sqlite_file file;
    open(file)->migrate();
    sqlite_connection old(file.path());
    insert(old, "a");
    const auto store = open(file);
    REQUIRE(store->due({}, 10).rows.size() == 1);

    // As who restores a backup: moved away with its log, and another one in its place, whose rows are in its log yet.
    for (const char* suffix : {"", "-wal", "-shm"}) fs::rename(file.path() + suffix, file.folder() + "/moved" + suffix);
    open(file)->migrate();
    sqlite_connection fresh(file.path());
    insert(fresh, "b");

    CHECK(contains(what_of<outbox::store_unavailable>([&] { store->settle(settled_a); }), "replaced"));
    const auto page = store->due({}, 10);
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows.front().id == "b");
    CHECK(old.rows("SELECT status FROM msg_log").front().front() == "0");
    CHECK(fresh.rows("PRAGMA integrity_check").front().front() == "ok");
}

TEST_CASE("sqlite: a file that was deleted is not made again") {
    const sqlite_file file;
    open(file)->migrate();
    const auto store = open(file);
    REQUIRE(store->due({}, 10).complete);
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file.path() + suffix);
    for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(store->due({}, 10), outbox::store_unavailable);
    CHECK(files_in(file.folder()) == 0);
    open(file)->migrate();
    CHECK(store->due({}, 10).complete);
}

TEST_CASE("sqlite: when no more can be written, nothing is lost, and later it is recorded") {
    const sqlite_file file;
    open(file)->migrate();
    sqlite_connection application(file.path());
    insert(application, "a");
    const auto store = open(file);
    REQUIRE(store->due({}, 10).rows.size() == 1);

    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
    const auto what = what_of<outbox::store_unavailable>([&] { store->settle(settled_a); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, SIG_DFL);

    CHECK(contains(what, file.path()));
    CHECK(application.rows("SELECT status FROM msg_log").front().front() == "0");
    CHECK(store->settle(settled_a) == 1);
    CHECK(application.rows("SELECT status FROM msg_log").front().front() == "1");
}

}  // namespace
