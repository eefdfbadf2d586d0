#include <fmt/format.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include "conf/url.hpp"
#include "outbox/postgresql.hpp"
#include "outbox/socket_deadline.hpp"

namespace outbox {
namespace {

constexpr int oldest_version = 130'000;

std::string percent_encoded(const std::string& value) {
    std::string text;
    for (const char c : value) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

void add_tls(const conf::database& settings, std::map<std::string, std::string>& to) {
    const auto& tls = settings.tls;
    to["gssencmode"] = "disable";  // or an encryption of another kind might take the place of the one asked for
    if (settings.tls_use == conf::tls_mode::off) {
        to["sslmode"] = "disable";
        return;
    }
    to["sslmode"] = tls.verify ? "verify-full" : "require";
    // Before version 16, libpq has no word for the system's trust store.
    if (tls.verify) to["sslrootcert"] = tls.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : tls.ca_file;
    if (!tls.cert_file.empty()) {
        to["sslcert"] = tls.cert_file;
        to["sslkey"] = tls.key_file;
    }
}

// What follows the first line may repeat values: of a row, of a statement's arguments.
std::string first_line(std::string text) {
    static constexpr std::string_view prefixes[] = {"Cannot execute query. ", "Fatal error. ",
                                                    "Cannot establish connection to the database.\n"};
    for (const auto prefix : prefixes) {
        if (text.starts_with(prefix)) text.erase(0, prefix.size());
    }
    return text.substr(0, text.find('\n'));
}

soci_driver::fault fault_of(std::string_view sqlstate) {
    using fault = soci_driver::fault;
    if (sqlstate == "40P01" || sqlstate == "40001") return fault::deadlock;
    if (sqlstate == "23505") return fault::duplicate;
    if (sqlstate == "55P03") return fault::busy;  // lock_timeout
    // Connections, resources, an operator's or the operating system's intervention; a server that has become read-only.
    static constexpr std::array classes = {"08", "53", "57", "58", "28"};
    const auto its = sqlstate.substr(0, 2);
    if (sqlstate == "25006" || std::find(classes.begin(), classes.end(), its) != classes.end())
        return fault::unavailable;
    return fault::refused;
}

PGconn* connection_of(soci::session& session) {
    // The library keeps to itself what a dynamic_cast would need.
    auto* const backend = static_cast<soci::postgresql_session_backend*>(session.get_backend());
    return backend == nullptr ? nullptr : backend->conn_;
}

class postgresql_driver final : public soci_driver {
  public:
    postgresql_driver(const conf::database& settings, const std::string& role, std::shared_ptr<bool> patient)
        : query_timeout_(settings.query_timeout),
          address_(postgresql_address(settings, role)),
          patient_(std::move(patient)) {}

    void open(soci::session& session) override {
        deadline_.reset();
        session.open(soci::postgresql, address_);
        connection_ = connection_of(session);
        PQsetNoticeProcessor(
            connection_, [](void*, const char*) {}, nullptr);  // or they go to standard error
        if (PQserverVersion(connection_) < oldest_version)
            throw store_unusable(fmt::format("the server is PostgreSQL {}; the oldest that will do is 13",
                                             PQparameterStatus(connection_, "server_version")));
        deadline_ = std::make_unique<socket_deadline>(PQsocket(connection_), query_timeout_);
    }

    judgement judge(soci::session& session, const soci::soci_error& error) const override {
        if (deadline_ && deadline_->has_cut())
            return {fault::unavailable, fmt::format("no answer within {} ms", query_timeout_.count())};
        const auto text = first_line(error.get_error_message());
        const auto* const refusal = dynamic_cast<const soci::postgresql_soci_error*>(&error);
        if (refusal == nullptr || PQstatus(connection_of(session)) != CONNECTION_OK) return {fault::unavailable, text};
        return {fault_of(refusal->sqlstate()), fmt::format("{} (SQLSTATE {})", text, refusal->sqlstate())};
    }

    // Whatever is set ends with the transaction. The server gives up a little before we do, so that it does not go on
    // with what nobody waits for; and who is frozen in the middle does not keep its locks.
    std::string begin() const override {
        return fmt::format(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = 1000; "
            "SET LOCAL idle_in_transaction_session_timeout = 6000; SET LOCAL statement_timeout = {}",
            std::max<std::int64_t>(1'000, query_timeout_.count() * 9 / 10));
    }

    bool prepares() const override { return false; }

    void before_use() override {
        if (deadline_ && !*patient_) deadline_->start();
    }
    void after_use() override {
        if (!deadline_) return;
        deadline_->stop();
        if (PQtransactionStatus(connection_) == PQTRANS_IDLE) *patient_ = false;
    }

  private:
    const std::chrono::milliseconds query_timeout_;
    const std::string address_;
    const std::shared_ptr<bool> patient_;
    PGconn* connection_ = nullptr;  // the session's
    std::unique_ptr<socket_deadline> deadline_;
};

}  // namespace

std::string postgresql_address(const conf::database& settings, const std::string& role) {
    const auto url = conf::parse_url(settings.url);
    if (url.database().empty()) throw std::invalid_argument("database.url names no database");
    if (!url.query.empty())
        throw std::invalid_argument(
            "database.url has options after its `?`, which are not read: use the settings in `database` instead");
    const auto whole_seconds = [](std::chrono::milliseconds time) {
        return std::to_string(std::max<std::int64_t>(1, (time.count() + 999) / 1000));
    };
    std::map<std::string, std::string> words = {
        {"host", url.host},
        {"port", std::to_string(url.port)},
        {"dbname", url.database()},
        {"user", url.user},
        {"password", url.password ? *url.password : settings.password.value},
        {"client_encoding", "UTF8"},
        {"application_name", role.empty() ? "outbox-sidecar" : "outbox-sidecar " + role},
        {"connect_timeout", whole_seconds(settings.connect_timeout)},
        {"tcp_user_timeout", std::to_string(settings.query_timeout.count())},
        {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},
        {"keepalives_count", "3"},
    };
    add_tls(settings, words);
    // As an url: of the other form, SOCI loses spaces inside of values.
    std::string text = "postgresql://?";
    for (const auto& [name, value] : words) text += fmt::format("{}={}&", name, percent_encoded(value));
    text.pop_back();
    return text;
}

std::unique_ptr<soci_driver> make_postgresql_driver(const conf::database& settings, const std::string& role,
                                                    std::shared_ptr<bool> patient) {
    return std::make_unique<postgresql_driver>(settings, role, std::move(patient));
}

}  // namespace outbox
