#include "test/bench/scene.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "test/support/environment.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t rows_per_insert = 100'000;
constexpr auto patience = 20min;
constexpr std::size_t body_frame = 28;  // all but the filling

double highest_peak = 0;

// One INSERT … SELECT for each part of the numbers from 1 on.
void insert_in_parts(support::database& server, std::size_t rows, const std::string& statement) {
    for (std::size_t from = 1; from <= rows; from += rows_per_insert) {
        const auto to = std::min(rows, from + rows_per_insert - 1);
        server.execute(fmt::format("{} FROM seq_{}_to_{}", statement, from, to));
    }
}

std::string filling(std::size_t bytes) { return std::string(bytes - body_frame, 'x'); }

}  // namespace

const std::string header_json =
    R"({"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tenant":"acme","version":3})";

std::string body_of(std::size_t number, std::size_t bytes) {
    return fmt::format(R"({{"n":"{:010}","text":"{}"}})", number, filling(bytes));
}

own_queue::own_queue(support::broker& at, const std::string& type, const nlohmann::json& more)
    : broker_(at), name_(support::unique_name("bench")) {
    auto arguments = more;
    arguments["x-queue-type"] = type;
    broker_.declare_queue(name_, arguments);
}

own_queue::~own_queue() {
    try {
        broker_.delete_queue(name_);
    } catch (const std::exception&) {
        // The servers are the benchmark's own and end with it.
    }
}

void fill(support::database& server, const support::table& into, const std::string& queue, std::size_t rows,
          const message_shape& of) {
    const auto first = database_ms(server) - static_cast<std::int64_t>(rows / 10) - 1'000;
    insert_in_parts(
        server, rows,
        fmt::format(R"(INSERT INTO {} (msg, routing_key, headers, next_try_time) SELECT
                       CONCAT('{{"n":"', LPAD(seq, 10, '0'), '","text":"', REPEAT('x', {}), '"}}'), '{}', {},
                       {} + seq DIV 10)",
                    into.name(), of.body - body_frame, queue, of.headers ? "'" + header_json + "'" : "NULL", first));
}

void fill_settled(support::database& server, const support::table& into, std::size_t rows, std::chrono::hours ago) {
    const auto then = database_ms(server) - std::chrono::milliseconds(ago).count();
    insert_in_parts(server, rows,
                    fmt::format("INSERT INTO {} (msg, routing_key, status, next_try_time, create_time, update_time) "
                                "SELECT REPEAT('x', 256), 'gone', 1, {} + seq DIV 10, {}, {} + seq DIV 10",
                                into.name(), then, then, then));
}

std::int64_t counter(support::database& server, const std::string& name) {
    return std::stoll(server.rows("SHOW GLOBAL STATUS LIKE '" + name + "'").at(0).at(1).value());
}

std::int64_t database_ms(support::database& server) {
    return server.number("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000");
}

running_sidecar::running_sidecar(const support::table& on, const std::string& command)
    : process_(std::make_unique<support::sidecar_process>(
          std::vector<std::string>{command}, support::variables{{"OUTBOX_DATABASE_URL", support::mysql_url()},
                                                                {"OUTBOX_DATABASE_TABLE", on.name()},
                                                                {"OUTBOX_BROKER_URLS", support::amqp_url()}})) {}

running_sidecar::~running_sidecar() = default;

void running_sidecar::wait_until_connected() {
    wait_until("broker_up");
    wait_until("database_up");
}

void running_sidecar::wait_until(const std::string& event) {
    if (!process_->says(event))
        throw std::runtime_error(fmt::format("the sidecar does not come to {}; it said:\n{}", event, process_->err()));
}

double running_sidecar::cpu_seconds() const {
    double nanoseconds = 0;
    for (const auto& thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_->pid()))) {
        double on_cpu = 0;
        std::ifstream(thread.path() / "schedstat") >> on_cpu;
        nanoseconds += on_cpu;
    }
    return nanoseconds / 1e9;
}

double running_sidecar::peak_mb() const {
    std::ifstream status(fmt::format("/proc/{}/status", process_->pid()));
    for (std::string word; status >> word;) {
        double kib = 0;
        if (word == "VmHWM:" && status >> kib) return kib * 1024 / 1e6;
    }
    throw std::runtime_error("the sidecar has ended; it said:\n" + process_->err());
}

void running_sidecar::stop() {
    highest_peak = std::max(highest_peak, peak_mb());
    process_->signal(SIGTERM);
    if (const int code = process_->wait(); code != 0)
        throw std::runtime_error(fmt::format("the sidecar left with {}; it said:\n{}", code, process_->err()));
}

double highest_peak_mb() { return highest_peak; }

double settled_rate(support::database& server, const support::table& in, std::int64_t since) {
    const auto when = [&](const char* which) {
        return server.number(in.in(fmt::format(
            "SELECT {}(update_time) FROM {{}} FORCE INDEX (msg_log_purge) WHERE status = 1 AND update_time >= {}",
            which, since)));
    };
    const auto count = [&](const char* how, std::int64_t time) {
        return server.number(in.in(
            fmt::format("SELECT COUNT(*) FROM {{}} FORCE INDEX (msg_log_purge) WHERE status = 1 AND update_time {} {}",
                        how, time)));
    };
    const auto first = when("MIN"), last = when("MAX");
    return static_cast<double>(count(">", first)) / static_cast<double>(last - first) * 1'000;
}

drained drain(support::database& server, const support::table& from, std::size_t rows) {
    const auto since = database_ms(server);
    const auto before = counter(server, "Handler_update");
    const auto deadline = std::chrono::steady_clock::now() + patience;
    running_sidecar sidecar(from);
    double cpu_before = 0;
    std::int64_t settled_before = 0, settled = 0;
    while (settled < static_cast<std::int64_t>(rows)) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the sidecar does not get done");
        std::this_thread::sleep_for(20ms);
        settled = counter(server, "Handler_update") - before;
        if (settled_before == 0 && settled > 0) {
            settled_before = settled;
            cpu_before = sidecar.cpu_seconds();
        }
    }
    drained result;
    const auto rest = static_cast<double>(settled - settled_before);
    result.cpu_us = rest > 0 ? (sidecar.cpu_seconds() - cpu_before) * 1e6 / rest : 0;
    sidecar.stop();
    result.rate = settled_rate(server, from, since);
    return result;
}

}  // namespace bench
