#include <fmt/format.h>

#include <map>

#include "outbox/mysql_doctor.hpp"

namespace outbox {
namespace {

using settings = std::map<std::string, std::string>;

settings read(mysql_session& session, const std::string& show) {
    settings all;
    session.query_text(show, [&](const mysql_row& row) { all[row.text(1).value_or("")] = row.text(2).value_or(""); });
    return all;
}

std::string value(const settings& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? std::string() : found->second;
}

void examine_galera(mysql_session& session, findings& to) {
    const std::string subject = "Galera";
    const auto status = value(read(session, "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_status'"), "wsrep_cluster_status");
    if (status != "Primary")
        return to.problem(subject, fmt::format("this node is not of the majority: its cluster status is {}", status),
                          "It serves nobody until it sees the other nodes again.");
    const auto waits = value(read(session, "SHOW SESSION VARIABLES LIKE 'wsrep_sync_wait'"), "wsrep_sync_wait");
    if (waits != "7" && waits != "15")
        return to.problem(subject,
                          fmt::format("wsrep_sync_wait is {} in this session: a node that lags shows as due what was "
                                      "settled at another one, and it comes twice",
                                      waits),
                          "Something between the sidecar and the server undoes what a session sets: connect directly, "
                          "or to one node alone.");
    to.good(subject, fmt::format("every look waits for what other nodes have committed: wsrep_sync_wait is {}", waits));
}

void examine_binary_log(const settings& server, findings& to) {
    const std::string subject = "binary log";
    if (const auto sync = value(server, "sync_binlog"); sync != "1")
        return to.advise(
            subject,
            fmt::format("sync_binlog is {}: a power cut can leave committed transactions out of it, so that "
                        "replicas never get them, messages included",
                        sync),
            "Set it to 1, also in the server's configuration file.", "SET GLOBAL sync_binlog = 1;");
    to.good(subject, "sync_binlog is 1");
}

// MySQL 8.0.26 and later say source where the others say master.
void examine_semi_sync(const settings& server, findings& to) {
    for (const std::string name : {"rpl_semi_sync_master", "rpl_semi_sync_source"}) {
        if (value(server, name + "_enabled") != "ON") continue;
        const std::string subject = "semi-synchronous replication";
        const auto point = value(server, name + "_wait_point");
        if (point == "AFTER_SYNC") return to.good(subject, "a message is seen only when a replica has it (AFTER_SYNC)");
        return to.advise(subject,
                         fmt::format("the wait point is {}: a message can be sent before a replica has it, and its "
                                     "transaction be gone after a failover",
                                     point),
                         "Make it AFTER_SYNC, also in the server's configuration file.",
                         fmt::format("SET GLOBAL {}_wait_point = 'AFTER_SYNC';", name));
    }
}

}  // namespace

void examine_copies(mysql_session& session, findings& to) {
    const auto server =
        read(session,
             "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'log_bin', 'sync_binlog', "
             "'rpl_semi_sync_master_enabled', 'rpl_semi_sync_master_wait_point', 'rpl_semi_sync_source_enabled', "
             "'rpl_semi_sync_source_wait_point')");
    if (value(server, "wsrep_on") == "ON") return examine_galera(session, to);
    if (value(server, "log_bin") != "ON") return;
    examine_binary_log(server, to);
    examine_semi_sync(server, to);
}

}  // namespace outbox
