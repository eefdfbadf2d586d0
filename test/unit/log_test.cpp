#include <doctest/doctest.h>

#include <sstream>
#include <thread>

#include "sidecar/log.hpp"
#include "sidecar/reporter.hpp"
#include "sidecar/throttle.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using sidecar::printable;

namespace {

std::vector<std::string> lines_of(const std::ostringstream& out) {
    std::vector<std::string> lines;
    std::istringstream in(out.str());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

struct turned_clock final : relay::clock {
    relay::time_point at{1h};
    relay::time_point now() const override { return at; }
};

/// A reporter whose lines come out as JSON.
struct reporting {
    std::ostringstream out;
    sidecar::log log{{conf::log_level::info, conf::log_format::json}, out, false};
    turned_clock clock;
    sidecar::reporter reporter{log, clock};
    relay::delivery row{"id-1", "orders", "order.created", 0, 3};

    std::vector<json> lines() const {
        std::vector<json> all;
        for (const auto& line : lines_of(out)) all.push_back(json::parse(line));
        return all;
    }
    std::size_t count(const std::string& event) const {
        const auto all = lines();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [&](const json& line) { return line["event"] == event; }));
    }
};

/// Has room for so many more characters.
struct small_disk : std::streambuf {
    std::size_t room = 0;
    std::string text;

    int_type overflow(int_type character) override {
        if (room == 0) return traits_type::eof();
        --room;
        text += traits_type::to_char_type(character);
        return character;
    }
};

}  // namespace

TEST_CASE("a source's lines name it, and follow the settings of the whole log") {
    std::ostringstream out;
    sidecar::log log({conf::log_level::info, conf::log_format::json}, out, false);
    auto orders = log.of("orders");
    orders.info("a", "x", {{"n", 1}});
    log.of("").info("b", "x");
    log.info("c", "x");
    const auto lines = lines_of(out);
    REQUIRE(lines.size() == 3);
    CHECK(json::parse(lines[0])["source"] == "orders");
    CHECK(json::parse(lines[0])["n"] == 1);
    CHECK_FALSE(json::parse(lines[1]).contains("source"));
    CHECK_FALSE(json::parse(lines[2]).contains("source"));

    log.apply({conf::log_level::warning, conf::log_format::text});
    orders.info("a", "not shown");
    orders.warning("a", "shown");
    REQUIRE(lines_of(out).size() == 4);
    CHECK(lines_of(out)[3].ends_with("warning shown source=orders"));
}

TEST_CASE("a log whose disk was full goes on, on a line of its own, when there is room again") {
    small_disk disk;
    std::ostream out(&disk);
    sidecar::log log({conf::log_level::info, conf::log_format::json}, out, false);
    disk.room = 10;
    log.info("first", "half of it");
    log.info("second", "none of it");
    disk.room = 1'000;
    log.info("third", "all of it");
    REQUIRE(disk.text.find('\n') == 10);
    CHECK(json::parse(disk.text.substr(10))["event"] == "third");
}

TEST_CASE("a JSON line has time, level, event, message and the fields") {
    std::ostringstream out;
    sidecar::log log({conf::log_level::info, conf::log_format::json}, out, true);
    log.warning("broker_down", "gone", {{"reason", "no \"socket\""}, {"next_try_ms", 250}});
    const auto line = json::parse(out.str());
    CHECK(line["level"] == "warning");
    CHECK(line["event"] == "broker_down");
    CHECK(line["message"] == "gone");
    CHECK(line["reason"] == "no \"socket\"");
    CHECK(line["next_try_ms"] == 250);
    const auto time = line["time"].get<std::string>();
    CHECK(time.size() == std::string("2026-01-31T12:00:00.000Z").size());
    CHECK(time.back() == 'Z');
}

TEST_CASE("whatever bytes a field has, its line is one line of valid JSON") {
    std::ostringstream out;
    sidecar::log log({conf::log_level::info, conf::log_format::json}, out, false);
    for (const std::string& hostile : {std::string("\xff\xfe\0x", 4), std::string("a\nb\r\n"), std::string("\xe2\x82"),
                                       std::string("\",\"level\":\"none"), std::string("\xed\xa0\x80")})
        log.info("event", hostile, {{"id", hostile}});
    CHECK(lines_of(out).size() == 5);
    for (const auto& line : lines_of(out)) {
        REQUIRE(json::accept(line));
        CHECK(json::parse(line)["level"] == "info");
    }
}

TEST_CASE("whatever bytes a field has, a text line is one line that steers no terminal") {
    std::ostringstream out;
    sidecar::log log({conf::log_level::info, conf::log_format::text}, out, true);
    log.info("event", "a\x1b[2Jb", {{"id", "c\nd e\xc2\x9b\xff"}, {"n", 7}, {"empty", ""}, {"bare", "x/y"}});
    REQUIRE(lines_of(out).size() == 1);
    CHECK(lines_of(out)[0].substr(25) ==
          "info    a\\x1b[2Jb id=\"c\\nd e\\xc2\\x9b\xEF\xBF\xBD\" n=7 empty=\"\" bare=x/y");
}

TEST_CASE("printable keeps text and shows what hides") {
    CHECK(printable("Grüße, 世界 😀") == "Grüße, 世界 😀");
    CHECK(printable("\xe2\x80\xae"
                    "abc") ==
          "\\xe2\\x80\\xae"
          "abc");                                           // right-to-left override
    CHECK(printable("\xe2\x81\xa6") == "\\xe2\\x81\\xa6");  // isolate
    CHECK(printable("\x7f\t") == "\\x7f\\x09");
    CHECK(printable("\xf0\x9f") == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("the format is text on a terminal and JSON elsewhere, unless the settings say") {
    const auto is_json = [](conf::log_format format, bool terminal) {
        std::ostringstream out;
        sidecar::log({conf::log_level::info, format}, out, terminal).info("e", "m");
        return json::accept(out.str());
    };
    CHECK(!is_json(conf::log_format::automatic, true));
    CHECK(is_json(conf::log_format::automatic, false));
    CHECK(is_json(conf::log_format::json, true));
    CHECK(!is_json(conf::log_format::text, false));
}

TEST_CASE("lines below the level are left out, and the level can be changed at once") {
    std::ostringstream out;
    sidecar::log log({conf::log_level::warning, conf::log_format::text}, out, false);
    log.info("e", "m");
    CHECK(out.str().empty());
    log.apply({conf::log_level::info, conf::log_format::text});
    log.info("e", "m");
    CHECK(!out.str().empty());
}

TEST_CASE("a throttle lets its number through in each second and counts the others") {
    sidecar::throttle three(3);
    const relay::time_point start{1h};
    for (int i = 0; i < 3; ++i) CHECK(three.allows(start + i * 1ms));
    CHECK(!three.allows(start + 500ms));
    CHECK(!three.allows(start + 999ms));
    CHECK(three.left_out(start + 999ms) == 0);  // more may come
    CHECK(three.left_out(start + 1000ms) == 2);
    CHECK(three.left_out(start + 1000ms) == 0);
    CHECK(three.allows(start + 1000ms));
}

TEST_CASE("a broker that stays away is mentioned every 30 seconds, and one that comes back at once") {
    reporting here;
    for (int second = 0; second < 60; ++second) {
        here.reporter.broker_down("no socket", 1s);
        here.clock.at += 1s;
    }
    CHECK(here.count("broker_down") == 2);
    here.reporter.broker_up("amqp://a:5672");
    here.reporter.broker_down("lost", 1s);
    CHECK(here.count("broker_up") == 1);
    CHECK(here.count("broker_down") == 3);
}

TEST_CASE("each reason why the broker is away is mentioned: that it went, and that it now refuses the login") {
    reporting here;
    here.reporter.broker_down("connection lost", 0ms);
    for (int second = 0; second < 29; ++second) {
        here.reporter.broker_down("login refused " + std::to_string(second % 2), 1s);
        here.clock.at += 1s;
    }
    CHECK(here.count("broker_down") == 3);
}

TEST_CASE("a broker that never gives the same reason twice does not fill the log") {
    reporting here;
    for (int second = 0; second < 30; ++second) {
        here.reporter.broker_down("reason " + std::to_string(second), 1s);
        here.clock.at += 1s;
    }
    CHECK(here.count("broker_down") == sidecar::repetition::most_reasons);
}

TEST_CASE("another reason why the database is away is news") {
    reporting here;
    here.reporter.database_down("reader", "no socket");
    here.reporter.database_down("reader", "no socket");
    here.reporter.database_down("reader", "no table");
    here.reporter.database_down("settler", "no table");
    CHECK(here.count("database_down") == 3);
}

TEST_CASE("messages that arrive leave no line, only a summary each minute") {
    reporting here;
    for (int i = 0; i < 1'000; ++i) here.reporter.attempted({here.row, relay::confirmed{}});
    here.reporter.attempted({here.row, relay::unknown{true}});
    here.reporter.attempted({here.row, relay::unknown{false}});
    here.reporter.attempted({here.row, relay::impossible{"too long"}});
    here.reporter.settled(1'000, 998, 1ms);
    here.reporter.tick();
    CHECK(here.lines().empty());
    here.clock.at += 60s;
    here.reporter.tick();
    REQUIRE(here.lines().size() == 1);
    const auto summary = here.lines()[0];
    CHECK(summary["event"] == "summary");
    CHECK(summary["published"] == 1'001);
    CHECK(summary["confirmed"] == 1'000);
    CHECK(summary["possible_duplicates"] == 1);
    CHECK(summary["settled_by_others"] == 2);
    here.clock.at += 60s;
    here.reporter.tick();
    CHECK(here.lines().size() == 1);  // nothing happened since
}

TEST_CASE("a flood of retries becomes ten lines and a count") {
    reporting here;
    for (int i = 0; i < 5'000; ++i) here.reporter.retrying(here.row, 1, 60s, "312 NO_ROUTE");
    CHECK(here.count("retry") == 10);
    here.clock.at += 1s;
    here.reporter.tick();
    CHECK(here.lines().back()["left_out"] == 4'990);
}

TEST_CASE("a message that failed for good is named with its reason") {
    reporting here;
    here.reporter.failed(here.row, 4, "404 NOT_FOUND");
    const auto line = here.lines().at(0);
    CHECK(line["level"] == "error");
    CHECK(line["id"] == "id-1");
    CHECK(line["exchange"] == "orders");
    CHECK(line["routing_key"] == "order.created");
    CHECK(line["tries"] == 4);
    CHECK(line["reason"] == "404 NOT_FOUND");
}

TEST_CASE("threads that report at once leave whole lines") {
    reporting here;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                here.reporter.attempted({here.row, relay::confirmed{}});
                here.reporter.failed(here.row, i, "reason");
                here.reporter.broker_warning("warning");
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(here.count("failed") == 100);
    CHECK(here.count("broker_warning") == 10);
}
