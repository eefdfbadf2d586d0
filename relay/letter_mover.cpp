#include "relay/letter_mover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "outbox/store.hpp"
#include "relay/digest.hpp"
#include "relay/overloaded.hpp"

namespace relay {
namespace {

constexpr std::uint64_t most_at_once = 64;
constexpr std::uint64_t most_bytes_at_once = 8 * 1024 * 1024;
// What was given back before is put back as a copy, which starts anew: quorum queues drop what was given back more
// often than their delivery limit, which may be as low as 1.
constexpr std::int64_t most_deliveries = 1;
constexpr std::int64_t shortest_pause = 60;  // seconds, before what was refused is tried again

// nullopt: confirmed.
std::optional<std::string> objection_of(const outcome& result, const destination& to) {
    const auto where = fmt::format("exchange '{}' with key '{}'", to.exchange, to.routing_key);
    return std::visit(
        overloaded{
            [](const confirmed&) { return std::optional<std::string>{}; },
            [&](const returned& r) { return std::optional(fmt::format("{} {} from {}", r.code, r.text, where)); },
            [&](const refused&) { return std::optional(fmt::format("nack from {}", where)); },
            [&](const no_exchange& r) { return std::optional(fmt::format("{} {}", r.code, r.text)); },
            [&](const impossible& r) { return std::optional(r.reason); },
            [&](const unknown&) { return std::optional<std::string>("not known"); },
            [&](const parked& p) { return std::optional(p.reason); }},
        result);
}

// Databases take no NUL in JSON.
void replace_nul(nlohmann::json& value) {
    if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        std::replace(text.begin(), text.end(), '\0', '?');
    } else if (value.is_structured()) {
        for (auto& one : value) replace_nul(one);
    }
}

std::string json_text(nlohmann::json value) {
    replace_nul(value);
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The same for the same message, however often it is fetched.
std::string identity_of(const amqp::letter& one, const death_certificate& certificate) {
    const auto deaths = one.headers().find("x-death");
    const auto text = fmt::format("{}\n{}\n{}\n{}", one.message_id().value_or(""), certificate.redrives,
                                  deaths == one.headers().end() ? "" : json_text(*deaths), sha256_of(one.body()));
    return sha256_of(text).substr(std::string_view("sha256:").size(), 16);
}

}  // namespace

struct letter_mover::held {
    amqp::letter letter;
    death_certificate certificate;
    std::string why_filed;  // beyond having been redriven often enough
    std::string objection;  // it was not to be sent, or filed
    std::int64_t not_before = 0;
};

struct letter_mover::batch {
    std::int64_t now = 0;
    std::vector<std::pair<held, destination>> to_redrive;
    std::vector<held> to_file;
    std::vector<held> to_put_back;
    letter_step done;

    void object(held&& one, std::string why, std::int64_t pause) {
        done.troubles.insert(why);
        one.objection = std::move(why);
        one.not_before = now + pause;
        to_put_back.push_back(std::move(one));
    }
};

letter_mover::letter_mover(const conf::dead_letters& settings, outbox::ledger* ledger, bool at_once)
    : settings_(settings), ledger_(ledger), at_once_(at_once) {
    if (!at_once_) return;
    settings_.interval = std::chrono::milliseconds(0);
    settings_.max_redrives = std::numeric_limits<std::uint32_t>::max();
}

death_certificate letter_mover::certificate_of(const amqp::letter& one) const {
    auto found = read_certificate(one.headers());
    if (at_once_) found.not_before = 0;
    return found;
}

fate letter_mover::fate_of(const amqp::letter& one, std::int64_t now) const {
    return decide(certificate_of(one), settings_, now);
}

letter_step letter_mover::step(amqp::letter_box& box, std::uint64_t most, std::int64_t now,
                               const std::function<bool()>& go_on) const {
    batch all;
    all.now = now;
    if (!fetch(box, std::min(most, most_at_once), all)) all.done.over = true;
    redrive_all(box, all, go_on);
    file_all(box, all);
    put_back_all(box, all, go_on);
    return all.done;
}

// False: nothing more is to be had now.
bool letter_mover::fetch(amqp::letter_box& box, std::uint64_t most, batch& into) const {
    const auto pause = std::max<std::int64_t>(
        shortest_pause, std::chrono::duration_cast<std::chrono::seconds>(settings_.interval).count());
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; i < most && bytes < most_bytes_at_once; ++i) {
        auto got = box.get(settings_.queue);
        if (const auto* refused = std::get_if<amqp::refusal>(&got)) {
            // What was fetched went back with the channel.
            into.to_redrive.clear();
            into.to_file.clear();
            into.to_put_back.clear();
            into.done = {};
            into.done.hopeless = true;
            into.done.troubles.insert(fmt::format("{} {}", refused->code, refused->text));
            return false;
        }
        auto& letter = std::get<std::optional<amqp::letter>>(got);
        if (!letter) return false;
        bytes += letter->body().size();
        held one{std::move(*letter), {}, {}, {}, 0};
        one.certificate = certificate_of(one.letter);
        const auto what = decide(one.certificate, settings_, into.now);
        if (const auto* early = std::get_if<wait>(&what)) {
            into.done.wait = early->time;
            one.not_before = into.now + early->time.count();
            if (one.certificate.deliveries < most_deliveries)
                box.give_back(one.letter);
            else
                into.to_put_back.push_back(std::move(one));
            return false;  // what is behind it died later
        }
        ++into.done.fetched;
        if (const auto* go = std::get_if<redrive>(&what))
            into.to_redrive.emplace_back(std::move(one), go->to);
        else if (std::holds_alternative<file>(what))
            into.to_file.push_back(std::move(one));
        else
            into.object(std::move(one), "it does not say where it came from: it has no x-death", pause);
    }
    return true;
}

void letter_mover::redrive_all(amqp::letter_box& box, batch& of, const std::function<bool()>& go_on) const {
    const auto pause = std::max<std::int64_t>(
        shortest_pause, std::chrono::duration_cast<std::chrono::seconds>(settings_.interval).count());
    std::vector<amqp::copy> copies;
    std::vector<std::size_t> senders;
    for (std::size_t i = 0; i < of.to_redrive.size(); ++i) {
        auto& [one, to] = of.to_redrive[i];
        amqp::copy copy{&one.letter, to.exchange, to.routing_key, headers_of_death(),
                        headers_of_redrive(one.certificate, settings_, of.now)};
        if (const auto why = box.impossible_to_send(copy)) {
            one.why_filed = why->reason;
            continue;
        }
        copies.push_back(std::move(copy));
        senders.push_back(i);
    }
    const auto outcomes = box.send(copies, go_on);
    for (std::size_t i = 0; i < senders.size(); ++i) {
        auto& [one, to] = of.to_redrive[senders[i]];
        if (auto why = objection_of(outcomes[i], to)) {
            if (std::holds_alternative<impossible>(outcomes[i]))
                one.why_filed = std::move(*why);
            else
                of.object(std::move(one), std::move(*why), pause);
        } else {
            box.ack(one.letter);
            ++of.done.redriven;
        }
    }
    for (auto& [one, to] : of.to_redrive) {
        if (!one.why_filed.empty()) of.to_file.push_back(std::move(one));
    }
}

void letter_mover::file_all(amqp::letter_box& box, batch& of) const {
    std::string objection_to_all;  // whoever waits for a database that is away does so once
    for (auto& one : of.to_file) {
        const auto why_now = one.why_filed.empty() ? "" : "not to be redriven: " + one.why_filed;
        std::string objection = objection_to_all;
        of.done.asked_database |= ledger_ != nullptr;
        try {
            // An id is what says that two are the same.
            const bool perhaps = one.letter.redelivered() && one.letter.message_id();
            if (ledger_ == nullptr)
                objection = one.why_filed.empty() ? "it is not to be filed" : one.why_filed;
            else if (objection.empty() &&
                     !ledger_->file_failure(failure_of(one.letter, one.certificate, settings_, why_now), perhaps))
                objection = "there is no ledger of failures (sys_mq_fail) to file it in";
        } catch (const outbox::store_unavailable& error) {
            of.done.no_database = error.what();
            objection = objection_to_all = fmt::format("it can't be filed: {}", error.what());
        } catch (const std::exception& error) {
            of.done.no_database = error.what();
            objection = fmt::format("it can't be filed: {}", error.what());
        }
        if (objection.empty()) {
            box.ack(one.letter);
            ++of.done.filed;
        } else {
            of.object(std::move(one), std::move(objection), shortest_pause);
        }
    }
}

// By a copy, so that it is in nobody's way, and the queue does not count one delivery after the other.
void letter_mover::put_back_all(amqp::letter_box& box, batch& of, const std::function<bool()>& go_on) const {
    std::vector<amqp::copy> copies;
    std::vector<const held*> senders;
    const auto give_back = [&](const held& one) {
        box.give_back(one.letter);
        of.done.over = of.done.hopeless = true;
    };
    for (const auto& one : of.to_put_back) {
        if (!one.objection.empty()) ++of.done.refused;
        amqp::copy copy{&one.letter, "", settings_.queue, {"x-delivery-count"}, nlohmann::json::object()};
        copy.with[std::string(not_before_header)] = one.not_before;
        // With these, it would be routed to other queues as well.
        const bool carbon_copies = one.letter.headers().contains("CC") || one.letter.headers().contains("BCC");
        if (carbon_copies || box.impossible_to_send(copy)) {
            give_back(one);
            continue;
        }
        copies.push_back(std::move(copy));
        senders.push_back(&one);
    }
    const auto outcomes = box.send(copies, go_on);
    for (std::size_t i = 0; i < senders.size(); ++i)
        std::holds_alternative<confirmed>(outcomes[i]) ? box.ack(senders[i]->letter) : give_back(*senders[i]);
}

outbox::consumer_failure failure_of(const amqp::letter& one, const death_certificate& certificate,
                                    const conf::dead_letters& settings, std::string_view why_now) {
    outbox::consumer_failure filed;
    filed.message_id = one.message_id();
    // The id of a message of ours that is too long for AMQP.
    if (const auto whole = one.headers().find("outbox-id"); whole != one.headers().end() && whole->is_string())
        filed.message_id = whole->get<std::string>();
    const auto to = certificate.origin ? certificate.origin : destination_of(certificate, settings);
    filed.exchange = to ? to->exchange : "";
    filed.routing_key = to ? to->routing_key : settings.queue;
    filed.headers = json_text(one.headers());
    filed.properties = json_text(one.properties());
    filed.payload = one.body();
    filed.reason = obituary(certificate, settings.queue, identity_of(one, certificate), why_now);
    if (const auto time = one.timestamp(); time && *time < 253'402'300'800)
        filed.created = static_cast<std::int64_t>(*time);
    return filed;
}

}  // namespace relay
