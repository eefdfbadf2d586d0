#pragma once
// conf/settings.hpp - every setting as plain data, with its default. How each is spelled in YAML stands in
// conf/fields.hpp; what it is for, in conf/sidecar.yaml.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conf {

using std::chrono::milliseconds;

/// A value that must never be printed: `check`, logs and errors show it masked.
struct secret {
    std::string value;
    bool operator==(const secret&) const = default;
};

/// A size in bytes; in YAML a whole number with an optional unit: 512, 64KiB, 16MiB, 1GiB.
struct byte_size {
    std::uint64_t count = 0;
    auto operator<=>(const byte_size&) const = default;
};

/// Files are PEM.
struct tls {
    std::string ca_file;    // empty: the system's trust store
    std::string cert_file;  // client certificate, with key_file
    std::string key_file;
    bool verify = true;  // false: any certificate is taken; logged as a warning at every connect
    bool operator==(const tls&) const = default;
};

enum class tls_mode { off, required };

struct database {
    std::string url;  // mysql:// or postgresql://user@host:port/database, or sqlite:///folder/file
    secret password;  // also password_file, or inside the url
    std::string password_file;
    std::string table = "msg_log";
    tls_mode tls_use = tls_mode::off;
    conf::tls tls;
    milliseconds connect_timeout{5'000};
    milliseconds query_timeout{30'000};  // for one read or write on the socket
    bool notify = false;                 // PostgreSQL only: hear of new rows instead of waiting for the next poll
    bool operator==(const database&) const = default;
};

struct broker {
    std::vector<std::string> urls;  // amqp://user@host:port/vhost or amqps://…, tried in shuffled order; or log:
    secret password;                // for every url that carries none
    std::string password_file;
    conf::tls tls;  // for amqps:// urls
    milliseconds connect_timeout{5'000};
    milliseconds heartbeat{10'000};
    milliseconds confirm_timeout{30'000};
    milliseconds reconnect_initial{200};
    milliseconds reconnect_max{15'000};
    byte_size max_message_size{0};  // 0: as the broker says when it refuses one
    bool operator==(const broker&) const = default;
};

enum class envelope { none, row, cloudevents };

struct message {
    std::string content_type = "application/json";
    std::string app_id = "outbox-sidecar";
    conf::envelope envelope = conf::envelope::none;
    std::string cloudevents_source = "/outbox";  // ce `source`, a URI reference
    std::string cloudevents_type;                // ce `type`; empty: the routing key
    bool operator==(const message&) const = default;
};

enum class after_delivery { keep, remove };  // remove is spelled `delete` in YAML
enum class on_failed { skip, block };
enum class unroutable { retry, park, fail };

struct relay {
    std::uint32_t page_rows = 500;            // read per SELECT
    std::uint32_t window = 4'000;             // messages published and not yet confirmed
    byte_size window_bytes{8 * 1024 * 1024};  // bodies held at once; one larger body passes alone
    std::uint32_t settle_rows = 500;          // recorded per UPDATE
    milliseconds poll_min{2};                 // pause between polls right after activity …
    milliseconds poll_max{100};               // … and once idle
    conf::after_delivery after_delivery = conf::after_delivery::keep;
    milliseconds drain_timeout{20'000};
    std::uint32_t lanes = 1;     // into how many parts the rows are divided among sidecars
    milliseconds lease{15'000};  // after so long without a sign of life, others take over
    std::string instance;        // what this sidecar is called in msg_lane; empty: host:pid
    bool ordered = false;        // no message overtakes an unsettled earlier one of its order_key
    conf::on_failed on_failed = conf::on_failed::skip;      // when ordered: what a failed message means for its key
    conf::unroutable unroutable = conf::unroutable::retry;  // what becomes of messages that no queue wants
    milliseconds park_probe{30'000};  // how often one of those that are parked for the same reason is tried
    bool operator==(const relay&) const = default;
};

enum class retry_strategy { fixed, linear, exponential, random };

/// See relay/retry_policy.hpp for the arithmetic.
struct retry {
    retry_strategy strategy = retry_strategy::linear;
    milliseconds initial{60'000};
    double multiplier = 2.0;               // exponential only
    milliseconds max_interval{3'600'000};  // no pause is longer
    double jitter = 0.0;                   // 0..1, the share of the pause that is drawn at random
    std::uint32_t max_retries = 3;         // tries after the first
    bool operator==(const retry&) const = default;
};

/// The first route whose patterns match decides. Patterns: `*` stands for any run of characters, `?` for one.
struct retry_route {
    std::string exchange = "*";
    std::string routing_key = "*";
    conf::retry retry;  // what a route does not say, it takes from the `retry` section
    bool operator==(const retry_route&) const = default;
};

struct purge {
    std::string schedule = "17 3 * * *";  // cron, five fields; empty: never by itself
    std::string time_zone = "UTC";
    std::optional<milliseconds> delivered{std::chrono::hours{24 * 30}};  // nullopt ("never"): kept for ever
    std::optional<milliseconds> consumed{std::chrono::hours{24 * 30}};
    std::optional<milliseconds> failed;
    std::optional<milliseconds> ledger;  // entries of sys_mq_fail
    std::uint32_t batch_rows = 500;
    milliseconds pause{20};  // at least, between batches; grows with what a batch took
    bool operator==(const purge&) const = default;
};

/// An AMQP table argument as YAML can say it: true, 42, "text".
struct argument {
    std::string name;
    std::string json;  // the value as JSON text
    bool operator==(const argument&) const = default;
};

struct exchange {
    std::string name;
    std::string type = "topic";
    bool durable = true;
    bool auto_delete = false;
    bool internal = false;
    std::vector<argument> arguments;
    bool operator==(const exchange&) const = default;
};

struct queue {
    std::string name;
    bool durable = true;
    bool exclusive = false;
    bool auto_delete = false;
    std::vector<argument> arguments;
    bool operator==(const queue&) const = default;
};

struct binding {
    std::string exchange;
    std::string queue;  // the destination: a queue, or an exchange
    std::string to_exchange;
    std::string routing_key;
    std::vector<argument> arguments;
    bool operator==(const binding&) const = default;
};

struct topology {
    std::vector<conf::exchange> exchanges;
    std::vector<conf::queue> queues;
    std::vector<conf::binding> bindings;
    bool operator==(const topology&) const = default;
};

/// Which of the messages without a receipt are sent again.
struct redeliver {
    std::optional<milliseconds> within;  // of their creation; nullopt ("never"): none is
    std::uint32_t batch_rows = 100;      // at most so many at once …
    milliseconds interval{60'000};       // … and then a pause
    bool operator==(const redeliver&) const = default;
};

/// What consumers report. Empty and nullopt: nobody asks.
struct receipts {
    std::string queue;                    // where they send the ids of what they are done with
    std::optional<milliseconds> overdue;  // after so long without a receipt; nullopt: never
    conf::redeliver redeliver;
    bool operator==(const receipts&) const = default;
};

/// What is to be done with the messages of one dead-letter queue; see relay/dead_letter.hpp.
struct dead_letters {
    std::string queue;
    std::string pattern;  // instead of queue: all queues of the vhost whose names match it, `*` and `?` as in routes
    milliseconds interval{600'000};  // from a message's death to its redrive, at least
    std::uint32_t max_redrives = 3;  // then it is filed in the ledger
    std::string exchange;            // where to; with routing_key empty, too: where the message came from
    std::string routing_key;
    std::uint32_t rate = 100;  // redriven a second, at most
    bool paused = false;       // only its length is looked at
    bool operator==(const dead_letters&) const = default;
};

/// RabbitMQ's management API, asked for the queues that a pattern of dead_letters means. Empty url: not at all.
struct management {
    std::string url;  // http://user@host:15672 or https://…
    secret password;
    std::string password_file;
    conf::tls tls;                  // for https
    milliseconds interval{60'000};  // between two looks
    bool operator==(const management&) const = default;
};

/// Failures that match are told to this url instead. Patterns as in retry_route.
struct webhook_route {
    std::string exchange = "*";
    std::string routing_key = "*";
    std::string url;  // empty: they are not told
    bool operator==(const webhook_route&) const = default;
};

/// Each new entry of the ledger is told by a POST. Empty url and no routes: not at all.
struct webhook {
    std::string url;  // https:// or http://
    secret key;       // for the signature; also key_file
    std::string key_file;
    bool body = false;                  // whether the message's body is told, too
    bool allow_local = false;           // also loopback, link-local and private addresses
    milliseconds timeout{10'000};       // for one POST, from connecting to the end of the answer
    milliseconds retry_initial{5'000};  // the pause after a failed POST, doubled each time …
    milliseconds retry_max{3'600'000};  // … up to this
    std::uint32_t max_tries = 30;       // then the entry is told no more
    std::uint32_t rate = 10;            // POSTs a second, at most
    conf::tls tls;                      // for https
    std::vector<webhook_route> routes;  // the first that matches decides
    bool operator==(const webhook&) const = default;
};

/// Who may use the API and the console, and under which names they are reached.
struct http_access {
    std::string tokens_file;  // lines of role, name and token; empty: anyone who can connect, on this machine only
    std::string cert_file;    // PEM, with key_file: TLS for the API and the console
    std::string key_file;
    std::string hosts;  // names in a browser's address bar besides localhost and addresses, separated by spaces
    bool operator==(const http_access&) const = default;
};

/// Spans for a collector that speaks OTLP over HTTP. Empty endpoint: none.
struct tracing {
    std::string endpoint;  // http://host:4318/v1/traces or https://…
    secret authorization;  // the header's value; also authorization_file
    std::string authorization_file;
    std::string service_name = "outbox-sidecar";
    double ratio = 1.0;                 // of the messages without a traceparent of their own, how many get a span
    milliseconds interval{5'000};       // between two deliveries, at most
    milliseconds timeout{10'000};       // of one delivery
    std::uint32_t queue_spans = 4'096;  // kept while the collector is away; more are dropped
    conf::tls tls;                      // for https
    bool operator==(const tracing&) const = default;
};

/// What is answered over HTTP, each at an address and port, "127.0.0.1:9464". Empty: not at all. Both may be the same.
struct http {
    std::string probes;
    std::string metrics;
    std::string api;  // the API and the console
    http_access access;
    bool operator==(const http&) const = default;
};

enum class log_format { automatic, text, json };
enum class log_level { trace, debug, info, warning, error };

struct log {
    log_level level = log_level::info;
    log_format format = log_format::automatic;  // text on a terminal, JSON lines elsewhere
    bool operator==(const log&) const = default;
};

struct settings {
    conf::database database;
    conf::broker broker;
    conf::message message;
    conf::relay relay;
    conf::retry retry;
    std::vector<conf::retry_route> retry_routes;
    conf::purge purge;
    conf::topology topology;
    conf::receipts receipts;
    std::vector<conf::dead_letters> dead_letters;
    conf::management management;
    conf::webhook webhook;
    conf::http http;
    conf::tracing tracing;
    conf::log log;
    bool operator==(const settings&) const = default;
};

}  // namespace conf
