#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "outbox/postgresql.hpp"
#include "outbox/table_schema.hpp"

namespace outbox {
namespace {

using std::chrono::milliseconds;

class postgresql_news final : public news {
  public:
    explicit postgresql_news(const conf::database& settings)
        : address_(postgresql_address(settings, "listener")),
          listen_(fmt::format("LISTEN \"{}\"", name_of(settings.table))),
          woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (woken_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    ~postgresql_news() override { ::close(woken_); }

    bool await(milliseconds at_most) override {
        if (!connection_) connect();
        PGconn* const connection = connection_.get();
        std::array<pollfd, 2> ready = {pollfd{PQsocket(connection), POLLIN, 0}, pollfd{woken_, POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), static_cast<int>(at_most.count())) > 0 && ready[1].revents != 0) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto emptied = ::read(woken_, &count, sizeof count);
        }
        if (PQconsumeInput(connection) == 0 || PQstatus(connection) != CONNECTION_OK) lost();
        bool any = false;
        // The answer to LISTEN: from now on nothing is missed, but until now it may have been.
        while (PQisBusy(connection) == 0) {
            const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQgetResult(connection), &PQclear);
            if (!answer) break;
            if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) lost();
            any = true;
        }
        while (const auto one = std::unique_ptr<PGnotify, decltype(&PQfreemem)>(PQnotifies(connection), &PQfreemem))
            any = true;
        return any;
    }

    void wake() override {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(woken_, &one, sizeof one);
    }

  private:
    void connect() {
        connection_.reset(PQconnectdb(address_.c_str()));
        if (PQstatus(connection_.get()) != CONNECTION_OK) lost();
        PQsetNoticeProcessor(
            connection_.get(), [](void*, const char*) {}, nullptr);
        // Its answer is awaited like anything else: a silent server must not keep a stop waiting.
        if (PQsendQuery(connection_.get(), listen_.c_str()) == 0) lost();
    }

    [[noreturn]] void lost() {
        const std::string said = PQerrorMessage(connection_.get());
        connection_.reset();
        throw store_unavailable(said.substr(0, said.find('\n')));
    }

    const std::string address_;
    const std::string listen_;
    const int woken_;
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
};

}  // namespace

std::unique_ptr<news> make_postgresql_news(const conf::database& settings) {
    return std::make_unique<postgresql_news>(settings);
}

}  // namespace outbox
