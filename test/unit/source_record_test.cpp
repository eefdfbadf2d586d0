#include "sidecar/source_record.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "sidecar/probes.hpp"
#include "test/unit/simulated_table.hpp"

using relay::loop;

namespace {

struct fixture {
    std::ostringstream lines;
    sidecar::log log{{}, lines, false};
    simulation::turned_clock clock;
    sidecar::source_records all;

    std::shared_ptr<sidecar::source_record> record(const std::string& name) {
        return std::make_shared<sidecar::source_record>(conf::source{name, {}}, log, clock);
    }
    static void connect(sidecar::source_record& one) {
        for (const auto which : {loop::reader, loop::pump, loop::settler, loop::keeper}) one.all.turned(which);
        one.all.broker_up("amqp://b");
        for (const char* role : {"lanes", "reader", "settler"}) one.all.database_up(role);
    }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "all are ready when each is, and who is not says so by its name") {
    const auto orders = record("orders"), billing = record("billing");
    all.set({orders, billing});
    connect(*orders);
    CHECK_FALSE(all.started().good);
    CHECK_FALSE(all.ready().good);
    for (const auto& why : all.ready().reasons) CHECK(why.starts_with("billing: "));
    connect(*billing);
    CHECK(all.started().good);
    CHECK(all.ready().good);
    CHECK(all.live().good);
    orders->all.database_down("settler", "gone");
    CHECK(all.ready().reasons == std::vector<std::string>{"orders: database, settler: gone"});

    sidecar::http_routes routes;
    sidecar::add_probes(routes, all);
    CHECK(routes.get("/readyz").body.find("orders: database") != std::string::npos);
    all.set({billing});
    CHECK(routes.get("/readyz").status == 200);
}

TEST_CASE_FIXTURE(fixture, "the only source, which has no name, is told of as ever") {
    const auto one = record("");
    all.set({one});
    CHECK(all.ready().reasons == one->health.ready().reasons);
    CHECK(all.metrics_text() == one->numbers.text());
    CHECK(all.metrics_text().find("source=") == std::string::npos);
}
