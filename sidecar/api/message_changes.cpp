// The routes below /messages that change messages.
#include "sidecar/api/job_routes.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/message_change.hpp"

namespace sidecar::api {
namespace {

using outbox::status;

constexpr std::size_t most_ids = 1'000;
constexpr auto force_named = "force: true";

answer change_by_id(const request& asked, outbox::store& store, message_action (*make)(bool, const std::string&)) {
    auto in = values::of_body(asked);
    const auto ids = in.texts("ids", most_ids);
    const bool force = in.flag("force"), dry_run = in.flag("dry_run");
    in.done();
    const auto what = make(force, force_named);
    const auto report = change_messages(store, what, ids, dry_run);
    auto result = json_answer(change_json(report, dry_run));
    if (!dry_run) result.audit = audit_of("messages asked to be " + what.done, ids);
    return result;
}

// As the command line has it: only what failed is put back, or with force what was delivered, if that was asked for.
message_action retry_of(outbox::message_filter& filter, bool force) {
    if (!filter.status) filter.status = static_cast<int>(status::failed);
    const bool delivered = *filter.status == static_cast<int>(status::delivered);
    if (!delivered && *filter.status != static_cast<int>(status::failed))
        throw problem(400, "filter.status: only failed messages, or with force delivered ones, can be put back");
    if (delivered && !force) throw problem(400, "filter.status: to send delivered messages again takes force");
    return putting_back(delivered, force_named);
}

message_action deletion_of(outbox::message_filter& filter, bool force) {
    if (!filter.status) throw problem(400, "filter.status: expected, so that it is clear what is deleted");
    const bool undelivered = *filter.status == static_cast<int>(status::delivering);
    if (undelivered && !force) throw problem(400, "filter.status: to delete what is still to be delivered takes force");
    return deletion(undelivered, force_named);
}

answer change_matching_ones(const request& asked, outbox::store& store, jobs& work,
                            message_action (*make)(outbox::message_filter&, bool)) {
    auto in = values::of_body(asked);
    auto given = in.object("filter");
    auto filter = read_filter(given);
    given.done();
    const bool force = in.flag("force"), dry_run = in.flag("dry_run");
    in.done();
    const auto what = make(filter, force);
    if (dry_run) return counted_answer(store.count(filter, most_counted + 1));
    return job_answer(work.add(what.name + " messages", asked.who.name, [=](outbox::store& its, jobs::control& job) {
        if (const auto total = its.count(filter, most_counted + 1); total <= most_counted) job.total(total);
        change_report report;
        change_matching(
            its, what, filter, [&] { return job.go_on(); },
            [&](std::uint64_t changed) { job.progress(changed, report.left.size()); }, report);
        if (!report.left.empty()) job.trouble(report.left.back().why);
    }));
}

std::string bytes_of(const std::string& hex) {
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        throw problem(400, "body_hex: expected hexadecimal digits");
    };
    if (hex.size() % 2 != 0) throw problem(400, "body_hex: expected two digits for each byte");
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
    return bytes;
}

// As JSON text; an empty object: none.
std::optional<std::string> object_text(values& in, std::string_view name) {
    const auto given = in.any(name);
    if (!given) return std::nullopt;
    if (!given->is_object()) throw problem(400, std::string(name) + ": expected an object");
    return given->empty() ? std::string() : given->dump();
}

answer resend(const request& asked, outbox::store& store) {
    auto in = values::of_body(asked);
    outbox::message_changes changes;
    changes.exchange = in.text("exchange");
    changes.routing_key = in.text("routing_key");
    changes.headers = object_text(in, "headers");
    changes.properties = object_text(in, "properties");
    changes.body = in.text("body");
    const auto hex = in.text("body_hex");
    in.done();
    if (hex && changes.body) throw problem(400, "body_hex: there is a body already");
    if (hex) changes.body = bytes_of(*hex);
    const auto& id = asked.param("id");
    auto outcome = outbox::edit_outcome::gone;
    try {
        outcome = store.edit(id, changes);
    } catch (const outbox::store_error& error) {
        throw problem(422, error.what());
    }
    switch (outcome) {
        case outbox::edit_outcome::done: {
            auto result = json_answer({{"outcome", "done"}});
            result.audit = audit_of("message changed and sent again", std::span(&id, 1));
            return result;
        }
        case outbox::edit_outcome::not_failed: return json_answer({{"outcome", "not_failed"}}, 409);
        case outbox::edit_outcome::gone: break;
    }
    return json_answer({{"outcome", "gone"}}, 409);
}

}  // namespace

void add_message_changes(router& to, const surroundings& with) {
    to.add("POST", "/messages/retry", needs::operating,
           [](const request& asked, outbox::store& store) { return change_by_id(asked, store, putting_back); });
    to.add("POST", "/messages/delete", needs::operating,
           [](const request& asked, outbox::store& store) { return change_by_id(asked, store, deletion); });
    to.add("POST", "/messages/retry-matching", needs::operating,
           [&work = with.work](const request& asked, outbox::store& store) {
               return change_matching_ones(asked, store, work, retry_of);
           });
    to.add("POST", "/messages/delete-matching", needs::operating,
           [&work = with.work](const request& asked, outbox::store& store) {
               return change_matching_ones(asked, store, work, deletion_of);
           });
    to.add("POST", "/messages/{id}/resend", needs::operating, resend);
}

}  // namespace sidecar::api
