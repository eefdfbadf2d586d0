#pragma once
// conf/fields.hpp - how every setting is spelled and bounded, said once. The loader, the printer and the list of names
// are visitors of these descriptions; so is whatever else must know all settings. A visitor V has
//
//   section(name, visit)                a map; visit() describes what is in it
//   field(name, member, checks...)      one value of a type in conf/values.hpp; checks as in conf/checks.hpp
//   secret(name, member, file)          a text that is never shown; `file`, named name_file, is where it may lie
//   instead url(name, member, schemes)          an address, shown without its password urls(name, members, schemes) a
//   list of them list(name, members, prototype)      a list of maps; prototype() is an element before anything is said
//   about it arguments(name, members)            a map of any names and values rule(names, holds, what)            what
//   holds between values; `what` follows the first of their names
//
// and calls them in this order: what comes later may use what came earlier.

#include <string>

#include "conf/checks.hpp"
#include "conf/settings.hpp"
#include "conf/sources.hpp"

namespace conf {

using namespace std::chrono_literals;

template <class V>
void describe(V& v, tls& t) {
    v.field("ca_file", t.ca_file, readable_file);
    v.field("cert_file", t.cert_file, readable_file);
    v.field("key_file", t.key_file, readable_file);
    v.field("verify", t.verify);
    v.rule({"cert_file", "key_file"}, t.cert_file.empty() == t.key_file.empty(),
           "cert_file and key_file belong together, but one of them is not given");
}

template <class V>
void describe(V& v, database& d) {
    v.url("url", d.url, {"mysql", "mariadb", "postgresql", "postgres", "sqlite"});
    v.rule({"url"}, !d.url.empty(), "is required, e.g. mysql://user@host:3306/database");
    v.rule({"url"}, names_database(d.url), "the url names no database; it ends in /name, e.g. mysql://user@host/shop");
    v.secret("password", d.password, d.password_file);
    v.rule({"password", "password_file"}, d.password.value.empty() || !has_password(d.url),
           "the url has a password, too; leave one of them out");
    v.field("table", d.table, table_name);
    v.section("tls", [&] {
        v.field("mode", d.tls_use);
        describe(v, d.tls);
        v.rule({"mode", "ca_file", "cert_file"},
               d.tls_use != tls_mode::off || (d.tls.ca_file.empty() && d.tls.cert_file.empty()),
               "is off, but certificates are given; set it to required");
    });
    v.field("connect_timeout", d.connect_timeout, between(100ms, 10min));
    v.field("query_timeout", d.query_timeout, between(100ms, 24h));
    v.field("notify", d.notify);
    v.rule({"notify"}, !d.notify || d.url.starts_with("postgres"), "is for PostgreSQL only");
}

template <class V>
void describe(V& v, broker& b) {
    v.urls("urls", b.urls, {"amqp", "amqps", "log"});
    v.rule({"urls"}, !b.urls.empty(), "at least one is required, e.g. [amqp://user@host:5672/vhost]");
    v.rule({"urls"}, b.urls.size() <= 1 || !names_log(b.urls), "log: stands for no broker at all, so it stands alone");
    v.secret("password", b.password, b.password_file);
    v.section("tls", [&] { describe(v, b.tls); });
    v.field("connect_timeout", b.connect_timeout, between(100ms, 10min));
    v.field("heartbeat", b.heartbeat, between(1s, 65'535s));
    v.field("confirm_timeout", b.confirm_timeout, between(100ms, 1h));
    v.field("reconnect_initial", b.reconnect_initial, between(1ms, 1h));
    v.field("reconnect_max", b.reconnect_max, between(1ms, 1h));
    v.rule({"reconnect_initial", "reconnect_max"}, b.reconnect_initial <= b.reconnect_max,
           "must not be longer than reconnect_max");
    v.field("max_message_size", b.max_message_size);
}

template <class V>
void describe(V& v, message& m) {
    v.field("content_type", m.content_type, short_text);
    v.field("app_id", m.app_id, short_text);
    v.field("envelope", m.envelope);
    v.field("cloudevents_source", m.cloudevents_source, not_empty);
    v.field("cloudevents_type", m.cloudevents_type);
}

template <class V>
void describe(V& v, relay& r) {
    v.field("page_rows", r.page_rows, between(1U, 10'000U));
    v.field("window", r.window, between(1U, 60'000U));
    v.field("window_bytes", r.window_bytes, at_least(byte_size{1024}));
    v.field("settle_rows", r.settle_rows, between(1U, 1'000U));
    v.field("poll_min", r.poll_min, between(1ms, 1h));
    v.field("poll_max", r.poll_max, between(1ms, 1h));
    v.rule({"poll_min", "poll_max"}, r.poll_min <= r.poll_max, "must not be longer than poll_max");
    v.field("after_delivery", r.after_delivery);
    v.field("drain_timeout", r.drain_timeout, between(0ms, 1h));
    v.field("lanes", r.lanes, between(1U, 64U));
    v.field("lease", r.lease, between(1s, 10min));
    v.field("instance", r.instance, instance_name);
    v.field("ordered", r.ordered);
    v.field("on_failed", r.on_failed);
    v.field("unroutable", r.unroutable);
    v.field("park_probe", r.park_probe, between(1s, 1h));
}

template <class V>
void describe(V& v, retry& r) {
    v.field("strategy", r.strategy);
    v.field("initial", r.initial, between(1ms, 24h * 365));
    v.field("multiplier", r.multiplier, between(1.0, 1000.0));
    v.field("max_interval", r.max_interval, between(1ms, 24h * 365));
    v.rule({"initial", "max_interval"}, r.initial <= r.max_interval, "must not be longer than max_interval");
    v.field("jitter", r.jitter, between(0.0, 1.0));
    v.field("max_retries", r.max_retries, between(0U, 1'000'000U));
}

template <class V>
void describe(V& v, retry_route& r) {
    v.field("exchange", r.exchange, short_text);
    v.field("routing_key", r.routing_key, short_text);
    describe(v, r.retry);
}

template <class V>
void describe(V& v, purge& p) {
    v.field("schedule", p.schedule, short_text);
    v.field("time_zone", p.time_zone, not_empty, short_text);
    v.field("delivered", p.delivered, between(1min, longest_duration));
    v.field("consumed", p.consumed, between(1min, longest_duration));
    v.field("failed", p.failed, between(1min, longest_duration));
    v.field("ledger", p.ledger, between(1min, longest_duration));
    v.field("batch_rows", p.batch_rows, between(1U, 5'000U));
    v.field("pause", p.pause, between(0ms, 1h));
}

template <class V>
void describe(V& v, exchange& e) {
    v.field("name", e.name, short_text);
    v.rule({"name"}, !e.name.empty(), "is required: the exchange's name");
    v.field("type", e.type, not_empty, short_text);
    v.field("durable", e.durable);
    v.field("auto_delete", e.auto_delete);
    v.field("internal", e.internal);
    v.arguments("arguments", e.arguments);
}

template <class V>
void describe(V& v, queue& q) {
    v.field("name", q.name, short_text);
    v.rule({"name"}, !q.name.empty(), "is required: the queue's name");
    v.field("durable", q.durable);
    v.field("exclusive", q.exclusive);
    v.field("auto_delete", q.auto_delete);
    v.arguments("arguments", q.arguments);
}

template <class V>
void describe(V& v, binding& b) {
    v.field("exchange", b.exchange, short_text);
    v.rule({"exchange"}, !b.exchange.empty(), "is required: the exchange that messages come from");
    v.field("queue", b.queue, short_text);
    v.field("to_exchange", b.to_exchange, short_text);
    v.rule({"queue", "to_exchange"}, b.queue.empty() != b.to_exchange.empty(),
           "a binding leads to a queue or to an exchange: give one of queue and to_exchange");
    v.field("routing_key", b.routing_key, short_text);
    v.arguments("arguments", b.arguments);
}

template <class V>
void describe(V& v, topology& t) {
    v.list("exchanges", t.exchanges, [] { return exchange{}; });
    v.list("queues", t.queues, [] { return queue{}; });
    v.list("bindings", t.bindings, [] { return binding{}; });
}

template <class V>
void describe(V& v, receipts& r) {
    v.field("queue", r.queue, short_text);
    v.field("overdue", r.overdue, between(1s, longest_duration));
    v.section("redeliver", [&] {
        v.field("within", r.redeliver.within, between(1s, longest_duration));
        v.rule({"within"}, !r.redeliver.within || (r.overdue && *r.overdue < *r.redeliver.within),
               "needs receipts.overdue, and must be longer than that");
        v.field("batch_rows", r.redeliver.batch_rows, between(1U, 5'000U));
        v.field("interval", r.redeliver.interval, between(1s, 24h));
    });
}

template <class V>
void describe(V& v, dead_letters& d) {
    v.field("queue", d.queue, short_text);
    v.field("pattern", d.pattern, short_text);
    v.rule({"queue", "pattern"}, d.queue.empty() != d.pattern.empty(),
           "give one of them: the dead-letter queue's name, or a pattern of names");
    v.field("interval", d.interval, between(0ms, 24h * 365));
    v.field("max_redrives", d.max_redrives, between(0U, 1'000'000U));
    v.field("exchange", d.exchange, short_text);
    v.field("routing_key", d.routing_key, short_text);
    v.rule({"routing_key"}, !d.exchange.empty() || d.queue.empty() || d.routing_key != d.queue,
           "leads back to the same queue");
    v.field("rate", d.rate, between(1U, 100'000U));
    v.field("paused", d.paused);
}

template <class V>
void describe(V& v, management& m) {
    v.url("url", m.url, {"http", "https"});
    v.secret("password", m.password, m.password_file);
    v.rule({"password", "password_file"}, m.password.value.empty() || !has_password(m.url),
           "the url has a password, too; leave one of them out");
    v.section("tls", [&] { describe(v, m.tls); });
    v.field("interval", m.interval, between(1s, 24h));
}

template <class V>
void describe(V& v, webhook_route& r) {
    v.field("exchange", r.exchange, short_text);
    v.field("routing_key", r.routing_key, short_text);
    v.url("url", r.url, {"https", "http"});
}

template <class V>
void describe(V& v, webhook& w) {
    v.url("url", w.url, {"https", "http"});
    v.secret("key", w.key, w.key_file);
    v.field("body", w.body);
    v.field("allow_local", w.allow_local);
    v.field("timeout", w.timeout, between(100ms, 10min));
    v.field("retry_initial", w.retry_initial, between(100ms, 24h));
    v.field("retry_max", w.retry_max, between(100ms, 24h));
    v.rule({"retry_initial", "retry_max"}, w.retry_initial <= w.retry_max, "must not be longer than retry_max");
    v.field("max_tries", w.max_tries, between(1U, 10'000U));
    v.field("rate", w.rate, between(1U, 1'000U));
    v.section("tls", [&] { describe(v, w.tls); });
    v.list("routes", w.routes, [] { return webhook_route{}; });
    v.rule({"key", "url"}, !w.key.value.empty() || (w.url.empty() && w.routes.empty()),
           "is required: what is sent is signed with it");
}

template <class V>
void describe(V& v, tracing& t) {
    v.url("endpoint", t.endpoint, {"http", "https"});
    v.secret("authorization", t.authorization, t.authorization_file);
    v.field("service_name", t.service_name, not_empty);
    v.field("ratio", t.ratio, between(0.0, 1.0));
    v.field("interval", t.interval, between(100ms, 10min));
    v.field("timeout", t.timeout, between(100ms, 10min));
    v.field("queue_spans", t.queue_spans, between(1U, 1'000'000U));
    v.section("tls", [&] { describe(v, t.tls); });
}

template <class V>
void describe(V& v, http& h) {
    v.field("probes", h.probes, listening_address);
    v.field("metrics", h.metrics, listening_address);
    v.field("api", h.api, listening_address);
    v.section("access", [&] {
        v.field("tokens_file", h.access.tokens_file, readable_file);
        v.field("cert_file", h.access.cert_file, readable_file);
        v.field("key_file", h.access.key_file, readable_file);
        v.rule({"cert_file", "key_file"}, h.access.cert_file.empty() == h.access.key_file.empty(),
               "cert_file and key_file belong together, but one of them is not given");
        v.field("hosts", h.access.hosts);
    });
}

template <class V>
void describe(V& v, log& l) {
    v.field("level", l.level);
    v.field("format", l.format);
}

/// What each source has for itself.
template <class V>
void describe_source(V& v, settings& s) {
    v.section("database", [&] { describe(v, s.database); });
    v.section("broker", [&] { describe(v, s.broker); });
    v.section("message", [&] { describe(v, s.message); });
    v.section("relay", [&] { describe(v, s.relay); });
    v.section("retry", [&] {
        describe(v, s.retry);
        v.list("routes", s.retry_routes, [&] { return retry_route{.retry = s.retry}; });
    });
    v.section("purge", [&] { describe(v, s.purge); });
    v.section("topology", [&] { describe(v, s.topology); });
    v.section("receipts", [&] {
        describe(v, s.receipts);
        v.rule({"queue"}, s.receipts.queue.empty() || !names_log(s.broker.urls),
               "needs a broker, but broker.urls is log:, which has no queues");
        v.rule({"queue"}, s.receipts.queue.empty() || s.relay.after_delivery == after_delivery::keep,
               "needs relay.after_delivery: keep, or there is no row any more when the receipt comes");
    });
    v.list("dead_letters", s.dead_letters, [] { return dead_letters{}; });
    v.rule({"dead_letters"}, all_different(s.dead_letters), "names a queue twice");
    v.rule({"dead_letters"}, s.dead_letters.empty() || !names_log(s.broker.urls), "needs a broker, and log: is none");
    v.section("management", [&] { describe(v, s.management); });
    v.rule({"dead_letters"}, !s.management.url.empty() || !has_patterns(s.dead_letters),
           "has a pattern, and needs management.url to learn which queues there are");
    v.section("webhook", [&] { describe(v, s.webhook); });
}

/// What there is once in a process, however many sources it has.
template <class V>
void describe_process(V& v, settings& s) {
    v.section("http", [&] { describe(v, s.http); });
    v.section("tracing", [&] { describe(v, s.tracing); });
    v.section("log", [&] { describe(v, s.log); });
}

template <class V>
void describe(V& v, settings& s) {
    describe_source(v, s);
    describe_process(v, s);
}

template <class V>
void describe(V& v, source& s) {
    v.field("name", s.name, source_name);
    v.rule({"name"}, !s.name.empty(), "is required: what the log and the metrics call this source");
    describe_source(v, s.settings);
}

}  // namespace conf
