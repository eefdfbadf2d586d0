#include "test/integration/rows.hpp"

#include <doctest/doctest.h>

namespace rows {

void put_into(support::database& by, support::scene& here, const std::string& id, const columns& others) {
    columns all{{"id", support::utf8(id)},
                {"msg", "'{}'"},
                {"exchange", support::utf8(here.to.exchange())},
                {"routing_key", "'key'"}};
    for (const auto& [name, value] : others) all[name] = value;
    std::string names, values;
    for (const auto& [name, value] : all) {
        names += (names.empty() ? "`" : ", `") + name + "`";
        values += (values.empty() ? "" : ", ") + value;
    }
    by.execute("INSERT INTO `" + here.table.name() + "` (" + names + ") VALUES (" + values + ")");
}

void put(support::scene& here, const std::string& id, const columns& others) {
    put_into(here.server, here, id, others);
}

std::vector<support::received> relayed(support::scene& here, std::size_t count,
                                       const std::function<void(conf::settings&)>& change) {
    auto settings = support::quick_settings(here.table);
    if (change) change(settings);
    support::relaying relay(settings);
    const bool reached = here.reaches(1, count);
    relay.stop();
    REQUIRE_MESSAGE(reached, relay.seen().all());
    return here.rabbit.take_all(here.to.queue());
}

support::received only(support::scene& here, const std::function<void(conf::settings&)>& change) {
    auto messages = relayed(here, 1, change);
    REQUIRE(messages.size() == 1);
    return messages.front();
}

}  // namespace rows
