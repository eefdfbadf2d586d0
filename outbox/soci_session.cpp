#include "outbox/soci_session.hpp"

#include <soci/soci.h>

#include <charconv>
#include <cmath>
#include <list>
#include <unordered_map>

#include "outbox/deadlock.hpp"
#include "outbox/soci_driver.hpp"

namespace outbox {
namespace {

constexpr std::size_t kept_statements = 64;

// A time that has a fraction, as a database without strict types may hold it, is the next whole one: never early.
std::optional<std::int64_t> to_number(const std::string& text) {
    std::int64_t whole = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, whole);
    if (read.ec == std::errc{} && read.ptr == end) return whole;
    double real = 0;
    if (std::from_chars(text.data(), end, real).ec != std::errc{} || std::abs(real) > 9e18) return std::nullopt;
    return static_cast<std::int64_t>(std::ceil(real));
}

// A statement with the places for its arguments and its columns, all as texts: what a column's type is varies by row in
// one database, and what SOCI makes of the types varies with them all.
class bound_statement : public sql_row {
  public:
    bound_statement(soci::session& session, bool prepares, const std::string& sql, unsigned columns,
                    std::span<const sql_value> args)
        : statement_(session), numbers_(args.size()), texts_(args.size()), values_(columns), nulls_(columns) {
        for (std::size_t i = 0; i < args.size(); ++i) {
            if (std::holds_alternative<std::int64_t>(args[i]))
                statement_.exchange(soci::use(numbers_[i]));
            else
                statement_.exchange(soci::use(texts_[i]));
        }
        for (std::size_t i = 0; i < columns; ++i) statement_.exchange(soci::into(values_[i], nulls_[i]));
        statement_.alloc();
        statement_.prepare(sql, prepares ? soci::details::st_repeatable_query : soci::details::st_one_time_query);
        statement_.define_and_bind();
    }

    void query(std::span<const sql_value> args, const std::function<void(const sql_row&)>& each) {
        set(args);
        statement_.execute(false);
        while (statement_.fetch()) each(*this);
    }

    std::uint64_t execute(std::span<const sql_value> args) {
        set(args);
        statement_.execute(true);
        return static_cast<std::uint64_t>(std::max(0LL, statement_.get_affected_rows()));
    }

    std::optional<std::string> text(unsigned column) const override {
        if (nulls_[column - 1] == soci::i_null) return std::nullopt;
        return values_[column - 1];
    }

    std::optional<std::int64_t> number(unsigned column) const override {
        if (nulls_[column - 1] == soci::i_null) return std::nullopt;
        return to_number(values_[column - 1]);
    }

  private:
    void set(std::span<const sql_value> args) {
        for (std::size_t i = 0; i < args.size(); ++i) {
            if (const auto* number = std::get_if<std::int64_t>(&args[i]))
                numbers_[i] = *number;
            else
                texts_[i] = std::get<std::string_view>(args[i]);
        }
    }

    soci::statement statement_;
    std::vector<long long> numbers_;
    std::vector<std::string> texts_;
    std::vector<std::string> values_;
    std::vector<soci::indicator> nulls_;
};

}  // namespace

struct soci_session::impl {
    std::unique_ptr<soci_driver> driver;
    std::function<void()> connected = [] {};
    std::unique_ptr<soci::session> session;
    std::uint64_t refusals = 0;
    bool in_transaction = false;

    // Most recently used first.
    struct kept {
        std::string sql;
        std::unique_ptr<bound_statement> statement;
    };
    std::list<kept> statements;
    std::unordered_map<std::string_view, std::list<kept>::iterator> by_sql;

    [[noreturn]] void fail(const soci::soci_error& error) {
        using fault = soci_driver::fault;
        const auto [what, text] = driver->judge(*session, error);
        if (what == fault::busy) throw store_busy(text);
        if (what == fault::deadlock) throw store_deadlock(text);
        if (what == fault::duplicate) throw store_duplicate(text);
        if (what == fault::refused) {
            ++refusals;
            throw store_error(text);
        }
        drop();
        if (what == fault::unusable) throw store_unusable(text);
        throw store_unavailable(text);
    }

    void drop() {
        by_sql.clear();
        statements.clear();
        session.reset();
        in_transaction = false;
    }

    // Inside a transaction a lost connection must not come back unnoticed.
    template <class Work>
    auto guarded(Work&& work) {
        if (session && !in_transaction) check();
        if (!session) {
            if (in_transaction) throw store_unavailable("the connection was lost in the transaction");
            connect();
        }
        try {
            const use in_use(*driver);
            return work();
        } catch (const soci::soci_error& error) {
            fail(error);
        }
    }

    struct use {
        explicit use(soci_driver& of) : driver(of) { driver.before_use(); }
        ~use() { driver.after_use(); }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        soci_driver& driver;
    };

    bound_statement unkept(const std::string& sql, unsigned columns) {
        return bound_statement(*session, driver->prepares(), sql, columns, {});
    }

    void check() {
        try {
            driver->check();
        } catch (...) {
            drop();
            throw;
        }
    }

    void connect() {
        session = std::make_unique<soci::session>();
        try {
            driver->open(*session);
            connected();
        } catch (const soci::soci_error& error) {
            const auto [what, text] = driver->judge(*session, error);
            drop();
            if (what == soci_driver::fault::unusable) throw store_unusable(text);
            throw store_unavailable(text);
        } catch (...) {
            drop();
            throw;
        }
    }

    // Runs `work` with the statement, which is kept unless something went wrong: it may be half-way through then.
    template <class Work>
    auto with_statement(const std::string& sql, unsigned columns, std::span<const sql_value> args, Work&& work) {
        return guarded([&] {
            auto& statement = prepared(sql, columns, args);
            try {
                return work(statement);
            } catch (...) {
                if (const auto found = by_sql.find(sql); found != by_sql.end()) {
                    const auto at = found->second;
                    by_sql.erase(found);
                    statements.erase(at);
                }
                throw;
            }
        });
    }

    bound_statement& prepared(const std::string& sql, unsigned columns, std::span<const sql_value> args) {
        if (const auto found = by_sql.find(sql); found != by_sql.end()) {
            statements.splice(statements.begin(), statements, found->second);
            return *found->second->statement;
        }
        auto statement = std::make_unique<bound_statement>(*session, driver->prepares(), sql, columns, args);
        if (statements.size() >= kept_statements) {
            by_sql.erase(statements.back().sql);
            statements.pop_back();
        }
        statements.push_front({sql, std::move(statement)});
        by_sql.emplace(statements.front().sql, statements.begin());
        return *statements.front().statement;
    }
};

soci_session::soci_session(std::unique_ptr<soci_driver> driver) : impl_(std::make_unique<impl>()) {
    impl_->driver = std::move(driver);
}

soci_session::~soci_session() {
    if (impl_) impl_->drop();  // statements before their session
}

void soci_session::connect() {
    impl_->guarded([] {});
}

void soci_session::disconnect() { impl_->drop(); }

void soci_session::on_connect(std::function<void()> each) { impl_->connected = std::move(each); }

void soci_session::query(const std::string& sql, unsigned columns, std::span<const sql_value> args,
                         const std::function<void(const sql_row&)>& each) {
    impl_->with_statement(sql, columns, args, [&](bound_statement& statement) { statement.query(args, each); });
}

std::uint64_t soci_session::execute(const std::string& sql, std::span<const sql_value> args) {
    return impl_->with_statement(sql, 0, args, [&](bound_statement& statement) { return statement.execute(args); });
}

void soci_session::query_text(const std::string& sql, unsigned columns,
                              const std::function<void(const sql_row&)>& each) {
    impl_->guarded([&] { impl_->unkept(sql, columns).query({}, each); });
}

void soci_session::execute_text(const std::string& sql) {
    impl_->guarded([&] { impl_->unkept(sql, 0).execute({}); });
}

void soci_session::transaction(const std::function<void()>& work) {
    execute_text(impl_->driver->begin());
    impl_->in_transaction = true;
    try {
        work();
        execute_text("COMMIT");
        impl_->in_transaction = false;
    } catch (...) {
        impl_->in_transaction = false;
        try {
            if (impl_->session) execute_text("ROLLBACK");
        } catch (const std::exception&) {
            impl_->drop();  // the database rolls back what a lost connection left
        }
        throw;
    }
}

void soci_session::attempt(const std::function<void()>& work) {
    execute_text("SAVEPOINT attempt");
    try {
        work();
        execute_text("RELEASE SAVEPOINT attempt");
    } catch (const store_error&) {
        execute_text("ROLLBACK TO SAVEPOINT attempt");
        execute_text("RELEASE SAVEPOINT attempt");
        throw;
    }
}

std::uint64_t soci_session::refusals() const { return impl_->refusals; }

}  // namespace outbox
