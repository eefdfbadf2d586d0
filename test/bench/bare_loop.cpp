#include <fmt/format.h>
#include <mysql.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "conf/url.hpp"
#include "test/bench/bare.hpp"

namespace bench {
namespace {

// Of 100, 500 and 1,000 the fastest.
constexpr std::size_t page = 1'000;

class connection {
  public:
    connection() {
        const auto url = conf::parse_url(support::mysql_url());
        if (mysql_real_connect(handle_.get(), url.host.c_str(), url.user.c_str(), url.password.value_or("").c_str(),
                               url.database().c_str(), url.port, nullptr, 0) == nullptr)
            fail();
        run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    }

    void run(const std::string& sql) {
        if (mysql_real_query(handle_.get(), sql.data(), sql.size()) != 0) fail();
    }

    /// Rows of a SELECT, as they arrive.
    template <class Each>
    std::size_t rows(const std::string& sql, Each&& each) {
        run(sql);
        const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> result(mysql_use_result(handle_.get()),
                                                                      mysql_free_result);
        std::size_t count = 0;
        while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
            each(row);
            ++count;
        }
        return count;
    }

  private:
    [[noreturn]] void fail() { throw std::runtime_error(fmt::format("the bare loop: {}", mysql_error(handle_.get()))); }

    std::unique_ptr<MYSQL, void (*)(MYSQL*)> handle_{mysql_init(nullptr), mysql_close};
};

}  // namespace

double bare_loop_rate(support::database& server, const support::table& in,
                      const std::function<void(std::size_t)>& before_page) {
    const auto since = database_ms(server);
    connection link;
    const std::string now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";
    std::string from = "0", update;
    std::size_t done = 0;
    for (;;) {
        if (before_page) before_page(done);
        update = in.in("UPDATE {} FORCE INDEX (PRIMARY) SET status = 1, update_time = ") + now +
                 " WHERE status = 0 AND id IN ('";
        // All that was read is settled by now, so that the place to go on from is a time.
        const auto count = link.rows(
            in.in(fmt::format("SELECT id, msg, exchange, routing_key, try_count, next_try_time, create_time, "
                              "update_time, headers, properties, order_key FROM {{}} FORCE INDEX (msg_log_due) WHERE "
                              "status = 0 AND next_try_time >= {} AND next_try_time <= {} ORDER BY next_try_time, id "
                              "LIMIT {}",
                              from, now, page)),
            [&](const MYSQL_ROW row) {
                update.append(row[0]).append("','");  // a UUID, nothing to escape
                from = row[5];
            });
        if (count == 0) break;
        update.resize(update.size() - 2);
        update += ')';
        link.run(update);
        done += count;
    }
    return settled_rate(server, in, since);
}

double bare_pair_rate(const std::string& queue, support::database& server, const support::table& in,
                      std::size_t messages, const message_shape& of) {
    std::atomic<std::size_t> confirmed{0};
    std::atomic<bool> over{false};
    std::thread loop([&] {
        bare_loop_rate(server, in, [&](std::size_t done) {
            while (done >= confirmed + conf::relay{}.window && !over)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
    });
    const double rate = bare_publisher_rate(queue, messages, of, &confirmed);
    over = true;
    loop.join();
    return rate;
}

}  // namespace bench
