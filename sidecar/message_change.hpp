#pragma once
// sidecar/message_change.hpp - putting messages back and deleting them, whoever asks for it.

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "outbox/store.hpp"

namespace sidecar {

/// What is done to messages.
struct message_action {
    std::string name;        // "delete"
    std::string imperative;  // "Delete"
    std::string done;        // "deleted"
    std::function<std::size_t(outbox::store&, std::span<const std::string>)> apply;
    std::function<std::string(int status)> objection;  // why a message of that status is left alone; empty: it is not
};

/// `force`: what the caller names what he could have asked for, "--force".
message_action putting_back(bool also_delivered, const std::string& force = "--force");
message_action deletion(bool also_undelivered, const std::string& force = "--force");

struct unchanged_message {
    std::string id;
    std::optional<int> status;  // nullopt: there is no such message
    std::string why;
};

struct change_report {
    std::uint64_t changed = 0;
    std::vector<unchanged_message> left;
    bool complete = true;  // false: it was stopped before its end
};

/// {"changed", "unchanged": [{"id", "status", "why"}]}, with "dry_run" before and "complete" after them.
nlohmann::ordered_json change_json(const change_report& report, bool dry_run);

/// One by one, so that for each it can be said what became of it. Ids that are given twice count once. Throws what the
/// store throws, but not store_busy.
change_report change_messages(outbox::store& store, const message_action& what, std::span<const std::string> ids,
                              bool dry_run);

/// All that match, from page to page downwards in time: what fails again meanwhile is above the page and is not met
/// twice. `go_on` is asked before each page, and `progress` told what has changed after it. Throws likewise; `into`
/// then says what had been done.
void change_matching(outbox::store& store, const message_action& what, const outbox::message_filter& filter,
                     const std::function<bool()>& go_on, const std::function<void(std::uint64_t)>& progress,
                     change_report& into);

}  // namespace sidecar
