// POST /dead-letters/{queue}/redrive.
#include <algorithm>
#include <limits>

#include "conf/checks.hpp"
#include "sidecar/api/job_routes.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/dead_letter_moves.hpp"

namespace sidecar::api {
namespace {

std::uint64_t length_of(relay::amqp::letter_box& box, const std::string& queue) {
    const auto length = box.length(queue);
    if (const auto* refused = std::get_if<relay::amqp::refusal>(&length))
        throw problem(404, std::to_string(refused->code) + " " + refused->text);
    return std::get<std::uint64_t>(length);
}

void redrive_all(const conf::broker& broker, const conf::dead_letters& settings, std::uint64_t limit,
                 jobs::control& job) {
    const auto box = connect_for_letters(broker);
    const auto most = std::min(length_of(*box, settings.queue), limit);
    job.total(most);
    const relay::letter_mover mover(settings, nullptr, true);
    moves_report all;
    move_letters(
        *box, mover, most, settings.rate, [&](std::chrono::milliseconds time) { return job.go_on(time); },
        [&] { return job.go_on(); },
        [&](const moves_report& so_far) {
            job.progress(so_far.redriven, so_far.refused);
            if (!so_far.reason.empty()) job.trouble(so_far.reason);
        },
        all);
    box->close();
}

answer redrive(const request& asked, const conf::settings& configured, jobs& work) {
    auto in = values::of_body(asked);
    const auto limit = in.number("limit", 1, std::numeric_limits<std::int64_t>::max());
    const auto rate = in.number("rate", 1, 100'000);
    const bool dry_run = in.flag("dry_run");
    in.done();
    if (conf::names_log(configured.broker.urls)) throw problem(409, "log: is no broker");
    auto settings = dead_letters_of(configured, asked.param("queue"));
    if (rate) settings.rate = static_cast<std::uint32_t>(*rate);
    const auto most = limit ? static_cast<std::uint64_t>(*limit) : std::numeric_limits<std::uint64_t>::max();
    if (!dry_run)
        return job_answer(work.add("redrive " + settings.queue, asked.who.name,
                                   [=, broker = configured.broker](outbox::store&, jobs::control& job) {
                                       redrive_all(broker, settings, most, job);
                                   }));
    try {
        const auto box = connect_for_letters(configured.broker);
        const auto there = std::min(length_of(*box, settings.queue), most);
        const relay::letter_mover mover(settings, nullptr, true);
        const auto found = preview_moves(*box, mover, settings.queue, there);
        box->close();
        return json_answer(preview_json(found, settings.queue));
    } catch (const relay::amqp::connection_lost& error) {
        throw problem(503, error.what(), 5);
    }
}

}  // namespace

// It asks the broker, which may take as long as the database.
void add_redrive(router& to, const surroundings& with) {
    to.add("POST", "/dead-letters/{queue}/redrive", needs::operating,
           [&work = with.work, &settings = with.settings](const request& asked, outbox::store&) {
               return redrive(asked, settings, work);
           });
}

}  // namespace sidecar::api
