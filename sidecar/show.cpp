#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <limits>

#include "outbox/store.hpp"
#include "sidecar/body_text.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

void print_json(const outbox::detail& found) {
    auto document = summary_json(found.what);
    document["headers"] = json_or_null(found.headers);
    document["properties"] = json_or_null(found.properties);
    add_body(document, "body", found.body, found.body.size() == found.what.body_size);
    std::cout << dumped(document);
}

void print_text(const outbox::detail& found, outbox::epoch_ms now) {
    const auto& one = found.what;
    table fields({table::align::left, table::align::left});
    fields.add({"id", one.id});
    fields.add({"status", fmt::format("{} ({})", one.status, status_name(one.status))});
    fields.add({"exchange", one.exchange.empty() ? "(the default exchange)" : one.exchange});
    fields.add({"routing key", one.routing_key});
    fields.add({"tries", std::to_string(one.try_count)});
    fields.add({"next try", time_text(one.next_try_time, now)});
    fields.add({"created", time_text(one.create_time, now)});
    fields.add({"changed", time_text(one.update_time, now)});
    if (one.order_key) fields.add({"order key", *one.order_key});
    if (one.last_error) fields.add({"last error", *one.last_error});
    if (found.headers) fields.add({"headers", *found.headers});
    if (found.properties) fields.add({"properties", *found.properties});
    fields.add({"body", grouped(one.body_size) + " bytes"});
    std::cout << fields.print(terminal_width(STDOUT_FILENO));
    if (found.body.empty()) return;

    const bool whole = found.body.size() == one.body_size;
    std::cout << '\n' << body_text(found.body, whole);
    if (!whole) std::cout << fmt::format("… the first {} bytes; --full shows all.\n", grouped(found.body.size()));
}

}  // namespace

int show(const command::show& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "show"});
    const auto found =
        store->show(options.id, options.full ? std::numeric_limits<std::size_t>::max() : body_bytes_shown);
    if (!found) {
        std::cerr << fmt::format("outbox-sidecar: there is no message '{}'\n", printable(options.id));
        return exit_code::failed;
    }
    at.json ? print_json(*found) : print_text(*found, store->clock());
    return exit_code::success;
}

}  // namespace sidecar
