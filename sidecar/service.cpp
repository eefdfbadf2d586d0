#include "sidecar/service.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <random>
#include <thread>

#include "conf/checks.hpp"
#include "outbox/news.hpp"
#include "outbox/store.hpp"
#include "relay/bell.hpp"
#include "relay/census_taker.hpp"
#include "relay/cron.hpp"
#include "relay/emptiness.hpp"
#include "relay/lane_keeper.hpp"
#include "relay/listener.hpp"
#include "relay/notice_teller.hpp"
#include "relay/parking.hpp"
#include "relay/publisher.hpp"
#include "relay/pump.hpp"
#include "relay/purger.hpp"
#include "relay/queue_lister.hpp"
#include "relay/reader.hpp"
#include "relay/receipt_queue.hpp"
#include "relay/redeliverer.hpp"
#include "relay/redriver.hpp"
#include "relay/settler.hpp"
#include "sidecar/management_api.hpp"
#include "sidecar/webhook.hpp"
#include "sidecar/worker.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Rows between reading and settling: those that await their confirm, as many that are being read or settled.
std::size_t rows_at_once(const conf::relay& settings) { return 2 * (settings.window + settings.page_rows); }

constexpr auto pump_wait = 250ms;
constexpr auto while_paused = 250ms;  // between two looks whether it goes on

// In order, the next row of a key waits until the one before it is recorded.
relay::settler::limits pace_of_settling(const conf::relay& settings) {
    if (settings.ordered) return {settings.settle_rows, 0ms};
    return {settings.settle_rows};
}

relay::random_source seeded_by_hardware() {
    std::random_device device;
    return relay::seeded_source((std::uint64_t{device()} << 32) | device());
}

// A pod's first process always has the same name and number, so chance has to tell it from its predecessor.
std::string unique_instance(const std::string& configured) {
    std::array<char, 65> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
    std::random_device device;
    return fmt::format("{}-{:08x}", configured.empty() ? fmt::format("{}:{}", host.data(), getpid()) : configured,
                       device());
}

conf::database patient_for(conf::database settings, milliseconds at_most) {
    settings.connect_timeout = std::min(settings.connect_timeout, at_most);
    settings.query_timeout = std::min(settings.query_timeout, at_most);
    return settings;
}

// An answer that comes later than a third of the lease is of no use.
conf::database hasty(const conf::database& settings, milliseconds lease) { return patient_for(settings, lease / 3); }

}  // namespace

struct service::impl {
    impl(const conf::settings& s, relay::observer& watch_in, std::function<void(std::uint64_t)> emptied_in,
         const pause_switch* hold_in, std::vector<outbox::settlement> taken_over)
        : settings(s),
          watch(watch_in),
          hold(hold_in),
          emptied(std::move(emptied_in)),
          instance(unique_instance(s.relay.instance)),
          lane_store(outbox::make_store(hasty(s.database, s.relay.lease), {s.relay.after_delivery, "lanes"})),
          reader_store(
              outbox::make_store(s.database, {s.relay.after_delivery, "reader", s.relay.ordered, s.relay.on_failed})),
          settler_store(outbox::make_store(s.database, {s.relay.after_delivery, "settler"})),
          in_flight(rows_at_once(s.relay)),
          keeper(*lane_store, in_flight, clock, seeded_by_hardware(), watch, {instance, s.relay.lanes, s.relay.lease},
                 [this] {
                     reader_bell.ring();
                     publisher->wake();
                 }),
          queue(
              s.relay.window_bytes.count, [this] { publisher->wake(); }, [this] { reader_bell.ring(); }),
          parking(clock, watch, {s.relay.park_probe}),
          publisher(relay::make_publisher(s.broker, s.topology, s.relay.window, seeded_by_hardware(), watch)),
          reader(*reader_store, keeper, in_flight, queue, clock, seeded_by_hardware(), watch,
                 {s.relay.page_rows, {s.relay.poll_min, s.relay.poll_max}, s.relay.ordered}, parked()),
          pump(
              *publisher, keeper, queue, outcomes, in_flight, relay::composer(s.message, !s.tracing.endpoint.empty()),
              watch,
              [this] {
                  reader.reread();
                  reader_bell.ring();
              },
              parked()),
          settler(
              *settler_store, in_flight, outcomes, clock, seeded_by_hardware(), watch,
              relay::retry_rules(s.retry, s.retry_routes, s.relay.unroutable), pace_of_settling(s.relay),
              [this] { reader_bell.ring(); }, parked()) {
        if (!s.purge.schedule.empty()) {
            purge_schedule = relay::schedule::parse(s.purge.schedule, s.purge.time_zone);
            purge_store = outbox::make_store(s.database, {s.relay.after_delivery, "purger"});
        }
        if (emptied) emptiness_store = outbox::make_store(s.database, {s.relay.after_delivery, "emptiness"});
        if (!s.http.metrics.empty() || !s.http.api.empty())
            counter_store = outbox::make_store(patient_for(s.database, 5s), {s.relay.after_delivery, "counter"});
        if (!s.receipts.queue.empty()) {
            receipt_store = outbox::make_store(s.database, {s.relay.after_delivery, "receipts"});
            receipts = std::make_unique<relay::receipt_queue>(s.receipts.queue, s.broker, s.topology,
                                                              seeded_by_hardware(), watch);
        }
        if (s.receipts.redeliver.within)
            redeliverer_store = outbox::make_store(s.database, {s.relay.after_delivery, "redeliverer"});
        if (!s.dead_letters.empty()) {
            letter_store = outbox::make_store(patient_for(s.database, 5s), {s.relay.after_delivery, "dead_letters"});
            if (conf::has_patterns(s.dead_letters)) directory.emplace(s.management, s.broker.urls, s.dead_letters);
            redriver.emplace(s.broker, s.dead_letters, *letter_store, clock, seeded_by_hardware(), watch,
                             [this] { return keeper.leads(); });
        }
        if (is_on(s.webhook)) {
            notice_store = outbox::make_store(patient_for(s.database, 5s), {s.relay.after_delivery, "webhook"});
            hook.emplace(s.webhook, s.database.table, instance);
        }
        if (s.database.notify) news = outbox::make_news(s.database);
        settler.take_over(std::move(taken_over));
    }

    void start() {
        reader_thread = std::thread([this] { read(); });
        pump_thread = std::thread([this] { publish(); });
        settler_thread = std::thread([this] { settle(); });
        keeper_thread = std::thread([this] { keep_lanes(); });
        if (purge_schedule) beside.emplace_back([this](worker& me) { purge(me); });
        if (counter_store) beside.emplace_back([this](worker& me) { count(me); });
        if (receipts) beside.emplace_back([this](worker& me) { take_receipts(me); });
        if (redeliverer_store) beside.emplace_back([this](worker& me) { redeliver(me); });
        if (redriver) beside.emplace_back([this](worker& me) { redrive(me); });
        if (directory) beside.emplace_back([this](worker& me) { list_queues(me); });
        if (hook) beside.emplace_back([this](worker& me) { tell_failures(me); });
        if (news) beside.emplace_back([this](worker& me) { listen(me); });
        if (emptied) beside.emplace_back([this](worker& me) { watch_for_the_end(me); });
    }

    void read() {
        while (!stop_reading) {
            const auto wait = paused() ? hold_still() : reader.run_once();
            watch.turned(relay::loop::reader);
            watch.carrying(in_flight.size());
            if (wait > 0ms && !stop_reading) reader_bell.wait(wait);
        }
        reader.abandon();
    }

    // What is held back is let go of; when it goes on, it begins with a new sweep.
    milliseconds hold_still() {
        reader.abandon();
        reader.reread();
        return while_paused;
    }

    relay::parking* parked() { return settings.relay.unroutable == conf::unroutable::park ? &parking : nullptr; }

    void publish() {
        while (!stop_publishing) {
            pump.run_once(pump_wait);
            if (parked() != nullptr) parking.tidy();
            watch.turned(relay::loop::pump);
        }
        pump.stop_taking();
        while (pump.outstanding() > 0 && !past_deadline()) pump.run_once(pump_wait);
        unconfirmed = pump.outstanding();
        pump.close();
        pump_ended.ring();
    }

    void settle() {
        for (;;) {
            const bool last_ones = stop_settling;  // before looking: what was pushed until then is seen
            if (last_ones) settler.abandon_releases();
            const auto wait = settler.run_once();
            watch.turned(relay::loop::settler);
            const bool idle = wait > 0ms;
            if (last_ones && (past_deadline() || (handing_over && settler.stuck()) ||
                              (idle && settler.unsettled() + outcomes.size() == 0)))
                break;
            if (idle) outcomes.wait(last_ones ? std::min<milliseconds>(wait, 50ms) : wait);
        }
        if (handing_over) handed_over = settler.hand_over();
        unsettled = settler.unsettled() + outcomes.size();
    }

    void keep_lanes() {
        while (!stop_keeping) {
            const auto wait = keeper.run_once();
            watch.turned(relay::loop::keeper);
            if (wait > 0ms && !stop_keeping) keeper_bell.wait(wait);
        }
        keeper.release();
    }

    void listen(worker& me) {
        relay::listener listener(*news, seeded_by_hardware(), watch, [this] {
            reader.look();
            reader_bell.ring();
        });
        while (me.going()) me.rest(listener.run_once());
    }

    void watch_for_the_end(worker& me) {
        relay::emptiness emptiness(*emptiness_store, clock, seeded_by_hardware(), watch);
        while (me.going()) {
            const auto wait = emptiness.run_once();
            if (!wait) return emptied(emptiness.delayed());
            me.rest(*wait);
        }
    }

    void count(worker& me) {
        relay::census_taker counter(
            *counter_store, clock, watch, [this] { return keeper.leads(); }, settings.receipts.overdue);
        while (me.going()) me.rest(counter.run_once());
    }

    void take_receipts(worker& me) {
        relay::receipt_taker taker(*receipts, *receipt_store, seeded_by_hardware(), watch);
        while (me.going()) taker.run_once();
        receipts->close();
        receipts_ended.ring();
    }

    void redeliver(worker& me) {
        relay::redeliverer redeliverer(*redeliverer_store, settings.receipts, watch,
                                       [this] { return keeper.leads() && (!receipts || receipts->caught_up()); });
        // Not at once: receipts that came while nobody was there are to be recorded first.
        for (me.rest(settings.receipts.redeliver.interval); me.going();) me.rest(redeliverer.run_once());
    }

    void redrive(worker& me) {
        while (me.going()) me.rest(redriver->run_once());
        redriver_ended.ring();
    }

    void list_queues(worker& me) {
        relay::queue_lister lister(
            *directory, settings.management.interval, watch, [this] { return keeper.leads(); },
            [this](std::vector<std::string> names) { redriver->learn_names(std::move(names)); });
        while (me.going()) me.rest(lister.run_once());
    }

    void tell_failures(worker& me) {
        relay::notice_teller teller(
            *notice_store, settings.webhook, *hook, clock, watch, [this] { return keeper.leads(); },
            [&me](milliseconds pause) {
                me.rest(pause);
                return me.going();
            });
        while (me.going()) me.rest(teller.run_once());
    }

    void purge(worker& me) {
        for (;;) {
            const auto next = purge_schedule->next(std::chrono::system_clock::now());
            if (!next) return;
            // In steps, as the system's clock may be set.
            while (std::chrono::system_clock::now() < *next) {
                const auto left = std::chrono::ceil<milliseconds>(*next - std::chrono::system_clock::now());
                me.rest(std::clamp<milliseconds>(left, 1ms, 30s));
                if (!me.going()) return;
            }
            if (!keeper.leads()) continue;
            try {
                watch.purged(relay::purge_once(*purge_store, settings.purge, [&](milliseconds pause) {
                    me.rest(pause);
                    return me.going() && keeper.leads();
                }));
            } catch (const std::exception& error) {
                watch.database_error("purger", error.what());
            }
        }
    }

    bool paused() const { return hold != nullptr && hold->is_on(); }

    bool past_deadline() const { return hurry || clock.now() >= deadline.load(); }

    farewell stop(bool hand_over) {
        const auto began = clock.now();
        handing_over = hand_over;
        deadline = began + settings.relay.drain_timeout;
        farewell result;
        result.in_flight = in_flight.size();

        keeper.leave();
        for (auto& one : beside) one.stop();
        if (news) news->wake();
        if (hook) hook->stop();
        if (directory) directory->stop();
        if (receipts) receipts->leave();
        if (redriver) redriver->stop();
        stop_reading = true;
        reader_bell.ring();
        // Each stage ends when nothing more can come from the one before it.
        stop_publishing = true;
        publisher->wake();
        join(reader_thread);
        // Past the deadline, it may still be in a call that the broker holds up.
        pump_ended.wait(settings.relay.drain_timeout + 2 * pump_wait);
        publisher->abort();
        join(pump_thread);
        stop_settling = true;
        outcomes.ring();
        join(settler_thread);
        stop_keeping = true;
        keeper_bell.ring();
        join(keeper_thread);
        if (receipts) {
            if (const auto left = std::chrono::ceil<milliseconds>(deadline.load() - clock.now()); left > 0ms)
                receipts_ended.wait(left);
            receipts->abort();
        }
        if (redriver) {
            const auto left = std::chrono::ceil<milliseconds>(deadline.load() - clock.now());
            redriver_ended.wait(std::max<milliseconds>(left, 1ms));
            redriver->abort();
        }
        beside.clear();

        result.unconfirmed = unconfirmed;
        result.unsettled = unsettled;
        result.handed_over = std::move(handed_over);
        result.took = std::chrono::duration_cast<milliseconds>(clock.now() - began);
        return result;
    }

    static void join(std::thread& thread) {
        if (thread.joinable()) thread.join();
    }

    const conf::settings settings;
    relay::observer& watch;
    const pause_switch* const hold;
    const std::function<void(std::uint64_t)> emptied;
    const std::string instance;
    const relay::steady_clock clock;

    // Each connects when it is first needed: of a sidecar that stands by, only the first.
    std::unique_ptr<outbox::store> lane_store;
    std::unique_ptr<outbox::store> reader_store;
    std::unique_ptr<outbox::store> settler_store;
    std::unique_ptr<outbox::store> purge_store;
    std::unique_ptr<outbox::store> emptiness_store;
    std::unique_ptr<outbox::store> counter_store;
    std::unique_ptr<outbox::store> receipt_store;
    std::unique_ptr<outbox::store> redeliverer_store;
    std::unique_ptr<relay::receipt_queue> receipts;
    std::unique_ptr<outbox::store> letter_store;
    std::unique_ptr<outbox::store> notice_store;
    std::optional<webhook> hook;
    std::optional<management_api> directory;
    std::unique_ptr<outbox::news> news;
    std::optional<relay::schedule> purge_schedule;

    relay::bell reader_bell;
    relay::bell keeper_bell;
    relay::bell pump_ended;
    relay::bell receipts_ended;
    relay::bell redriver_ended;
    relay::in_flight in_flight;
    relay::lane_keeper keeper;
    relay::outcome_queue outcomes;
    relay::send_queue queue;
    relay::parking parking;
    std::unique_ptr<relay::publisher> publisher;
    relay::reader reader;
    relay::pump pump;
    relay::settler settler;
    std::optional<relay::redriver> redriver;

    std::atomic<bool> stop_reading{false};
    std::atomic<bool> stop_publishing{false};
    std::atomic<bool> stop_settling{false};
    std::atomic<bool> stop_keeping{false};
    std::atomic<bool> hurry{false};
    std::atomic<bool> handing_over{false};
    std::atomic<relay::time_point> deadline{relay::time_point::max()};
    std::size_t unconfirmed = 0;                  // written by the pump's thread, read after it was joined
    std::size_t unsettled = 0;                    // likewise, the settler's
    std::vector<outbox::settlement> handed_over;  // likewise

    std::thread reader_thread;
    std::thread pump_thread;
    std::thread settler_thread;
    std::thread keeper_thread;
    std::list<worker> beside;  // the last: they use all the others
};

service::service(const conf::settings& settings, relay::observer& watch, std::function<void(std::uint64_t)> emptied,
                 const pause_switch* pause, std::vector<outbox::settlement> taken_over)
    : impl_(std::make_unique<impl>(settings, watch, std::move(emptied), pause, std::move(taken_over))) {
    impl_->start();
}

service::~service() {
    if (impl_->settler_thread.joinable()) {
        cut_short();
        stop();
    }
}

const std::string& service::instance() const { return impl_->instance; }

farewell service::stop(bool hand_over) { return impl_->stop(hand_over); }

void service::cut_short() {
    impl_->hurry = true;
    impl_->publisher->abort();
    if (impl_->receipts) impl_->receipts->abort();
    if (impl_->redriver) impl_->redriver->abort();
    impl_->outcomes.ring();
}

}  // namespace sidecar
