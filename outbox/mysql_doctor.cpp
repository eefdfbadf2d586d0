#include "outbox/mysql_doctor.hpp"

#include <fmt/format.h>

#include "conf/url.hpp"
#include "outbox/mysql.hpp"
#include "outbox/order.hpp"

namespace outbox {
namespace {

bool is_far_away(const std::string& url) {
    const auto host = conf::parse_url(url).host;
    return host != "localhost" && host != "::1" && !host.starts_with("127.");
}

void no_table(const examined_table& table, findings& to) {
    to.problem("table", fmt::format("there is no table {}, or this account has no right to it", table.quoted),
               "Run `outbox-sidecar migrate`, or apply what `outbox-sidecar migrate --print` prints. If the table is "
               "there, see the README for the rights that are needed.");
}

}  // namespace

std::vector<finding> mysql_store::examine() {
    findings report;
    try {
        examine_all(report);
    } catch (const store_error& error) {
        // What has been found so far still stands.
        report.problem("examination", fmt::format("the server refused a statement: {}", error.what()),
                       "Look at the account's rights and at the server's log.");
    }
    return std::move(report.all);
}

void mysql_store::examine_all(findings& report) {
    const bool writable = examine_server(session_, is_far_away(settings_.url), report);
    examine_copies(session_, report);

    learn_schema();
    const auto dot = settings_.table.find('.');
    examined_table table{{},
                         dot == std::string::npos ? session_.database() : settings_.table.substr(0, dot),
                         dot == std::string::npos ? settings_.table : settings_.table.substr(dot + 1),
                         schema_};
    table.quoted = fmt::format("`{}`.`{}`", table.database, table.name);  // so that the advice works from anywhere
    if (schema_.columns.empty()) return no_table(table, report);
    report.good("table", table.quoted);
    const bool complete = examine_columns(table, report);
    examine_charsets(table, report);
    examine_storage(session_, table, report);  // before the indexes, which other engines may not take
    examine_indexes(session_, table, report);
    if (!complete) return;
    if (options_.ordered) {
        if (const auto why = order_hindrance(schema_, table.quoted, "mysql"))
            report.problem("order by key", *why, "Until then, `run` is refused.");
        else
            report.good("order by key", schema_.index_on(order_index()));
    }

    const bool deletes = options_.after_delivery == conf::after_delivery::remove;
    // A read-only server refuses even to explain a change.
    if (writable && !examine_rights(session_, table, deletes, report)) return;
    if (writable) {
        const std::string name = "sys_mq_fail";
        examine_lanes(session_, lane_table_, has_leases(), report);
        examine_ledger(session_,
                       {fmt::format("`{}`.`{}`", table.database, name), table.database, name,
                        read_mysql_schema(session_, beside(settings_.table, name))},
                       !ledger_schema_.columns.empty(), report);
    }
    examine_plans(report);
    examine_rows(session_, table, report);
}

// The statements of due() and purge(), with values in place of their question marks.
void mysql_store::examine_plans(findings& report) {
    examine_plan(session_, "plan for reading due rows",
                 fmt::format("SELECT {} FROM {} {} WHERE status = 0 AND next_try_time <= {} ORDER BY next_try_time, id "
                             "LIMIT 500",
                             select_list_, table_, due_index_, mysql_now),
                 "for every look at the table", report);
    examine_plan(session_, "plan for purging",
                 fmt::format("SELECT id FROM {} {} WHERE status = 1 AND update_time < {} - 2592000000 LIMIT 500",
                             table_, purge_index_, mysql_now),
                 "for every batch", report);
}

}  // namespace outbox
