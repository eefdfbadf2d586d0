#include <doctest/doctest.h>

#include "sidecar/command_line.hpp"
#include "sidecar/configuration.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/terminal.hpp"

using namespace sidecar;
using namespace std::chrono_literals;

namespace {

invocation understood(const std::vector<std::string>& arguments) {
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<invocation>(parsed));
    return std::get<invocation>(parsed);
}

parting refused(const std::vector<std::string>& arguments) {
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<parting>(parsed));
    return std::get<parting>(parsed);
}

template <class Command>
bool is(const invocation& wanted) {
    return std::holds_alternative<Command>(wanted.what);
}

const auto none_exists = [](const std::string&) { return false; };

}  // namespace

TEST_CASE("without a command, the sidecar runs") {
    const auto wanted = understood({});
    CHECK(is<command::run>(wanted));
    CHECK(!wanted.config_file);
    CHECK(!wanted.json);
}

TEST_CASE("run goes on for ever, unless it is told to end when nothing is left") {
    CHECK_FALSE(std::get<command::run>(understood({}).what).until_empty);
    CHECK_FALSE(std::get<command::run>(understood({"run"}).what).until_empty);
    CHECK(std::get<command::run>(understood({"run", "--until-empty"}).what).until_empty);
}

TEST_CASE("a source is named before or after the command; the process as a whole has none") {
    CHECK(!understood({"status"}).source);
    CHECK(understood({"--source", "orders", "status"}).source == "orders");
    CHECK(understood({"list", "--source", "orders"}).source == "orders");
    CHECK(understood({"--source", "orders"}).source == "orders");
    for (const char* command : {"health", "version"})
        CHECK(refused({command, "--source", "orders"}).exit_code == exit_code::usage);
}

TEST_CASE("each command is understood") {
    CHECK(is<command::run>(understood({"run"})));
    CHECK(is<command::check>(understood({"check"})));
    CHECK(is<command::migrate>(understood({"migrate"})));
    CHECK(is<command::doctor>(understood({"doctor"})));
    CHECK(is<command::status>(understood({"status"})));
    CHECK(is<command::purge>(understood({"purge"})));
    CHECK(is<command::list>(understood({"list"})));
    CHECK(is<command::show>(understood({"show", "a"})));
    CHECK(is<command::retry>(understood({"retry", "a"})));
    CHECK(is<command::remove>(understood({"delete", "a"})));
    CHECK(is<command::failures>(understood({"failures"})));
    CHECK(is<command::version>(understood({"version"})));
    const auto health = std::get<command::health>(understood({"health", "--probe", "ready", "--url", "http://h"}).what);
    CHECK(health.probe == "ready");
    CHECK(health.url == "http://h");
    CHECK(std::get<command::health>(understood({"health"}).what).probe == "live");
}

TEST_CASE("redrive names a queue, and bounds what is moved") {
    const auto all = std::get<command::redrive>(understood({"redrive", "orders.dead"}).what);
    CHECK(all.queue == "orders.dead");
    CHECK_FALSE(all.dry_run);
    CHECK_FALSE(all.limit);
    CHECK_FALSE(all.rate);
    const auto some =
        std::get<command::redrive>(understood({"redrive", "q", "--dry-run", "--limit", "7", "--rate", "5"}).what);
    CHECK(some.dry_run);
    CHECK(some.limit == 7);
    CHECK(some.rate == 5);
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"redrive"},
                                                  {"redrive", "q", "--limit", "0"},
                                                  {"redrive", "q", "--rate", "0"},
                                                  {"redrive", "q", "extra"}})
        CHECK(refused(wrong).exit_code == exit_code::usage);
}

TEST_CASE("global options stand before or after the command") {
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"--config", "a.yaml", "--set", "retry.initial=5s", "--json", "status"},
                                               {"status", "--config=a.yaml", "--set", "retry.initial=5s", "--json"},
                                               {"--json", "status", "-s", "retry.initial=5s", "-c", "a.yaml"}}) {
        const auto wanted = understood(arguments);
        CHECK(is<command::status>(wanted));
        CHECK(wanted.config_file == "a.yaml");
        CHECK(wanted.overrides == std::vector<std::string>{"retry.initial=5s"});
        CHECK(wanted.json);
    }
}

TEST_CASE("--set may be repeated, keeps its order and swallows no command") {
    const auto wanted = understood({"--set", "a=1", "--set", "b=x y,z", "check", "--set", "a=2"});
    CHECK(is<command::check>(wanted));
    CHECK(wanted.overrides == std::vector<std::string>{"a=1", "b=x y,z", "a=2"});
}

TEST_CASE("commands have their own options") {
    const auto how = [](const std::vector<std::string>& arguments) {
        return std::get<command::migrate>(understood(arguments).what).how;
    };
    CHECK(how({"migrate"}) == command::migrate::mode::apply);
    CHECK(how({"migrate", "--print"}) == command::migrate::mode::print);
    CHECK(how({"migrate", "--status"}) == command::migrate::mode::status);
    CHECK(std::get<command::purge>(understood({"purge", "--dry-run"}).what).dry_run);
    CHECK(!std::get<command::purge>(understood({"purge"}).what).dry_run);
}

TEST_CASE("what can't be understood is wrong usage, with a word on why") {
    for (const auto& arguments : std::vector<std::vector<std::string>>{{"frobnicate"},
                                                                       {"--frobnicate"},
                                                                       {"run", "check"},
                                                                       {"check", "--dry-run"},
                                                                       {"migrate", "--print", "--status"},
                                                                       {"--config"},
                                                                       {"run", "now"}}) {
        const auto end = refused(arguments);
        CHECK(end.exit_code == exit_code::usage);
        CHECK(!end.text.empty());
    }
}

TEST_CASE("help is no error") {
    CHECK(refused({"--help"}).exit_code == 0);
    CHECK(refused({"--help"}).text.find("doctor") != std::string::npos);
    const auto end = refused({"migrate", "--help"});
    CHECK(end.exit_code == 0);
    CHECK(end.text.find("--print") != std::string::npos);
}

TEST_CASE("the configuration file is the one given, else $OUTBOX_CONFIG, else one that exists, else none") {
    const auto here = [](const std::string& file) { return file == "./sidecar.yaml"; };
    const auto anywhere = [](const std::string&) { return true; };
    const auto in_etc = [](const std::string& file) { return file.starts_with("/etc/"); };
    invocation given;
    given.config_file = "given.yaml";
    CHECK(config_file(given, {{"OUTBOX_CONFIG", "env.yaml"}}, anywhere) == "given.yaml");
    CHECK(config_file({}, {{"OUTBOX_CONFIG", "env.yaml"}}, anywhere) == "env.yaml");
    CHECK(config_file({}, {{"OUTBOX_CONFIG", ""}}, anywhere) == "./sidecar.yaml");
    CHECK(config_file({}, {}, here) == "./sidecar.yaml");
    CHECK(config_file({}, {}, in_etc) == "/etc/outbox-sidecar/sidecar.yaml");
    CHECK(config_file({}, {}, none_exists) == "");
}

TEST_CASE("a table lines up its columns and wraps the last") {
    using align = table::align;
    table rows({align::right, align::left, align::left});
    rows.add({"1", "äb", "short"});
    rows.add({"1,000", "c", "one two three four five six\nALTER TABLE x;"});
    CHECK(rows.print(0) == "    1  äb  short\n1,000  c   one two three four five six\n           ALTER TABLE x;\n");
    CHECK(rows.print(31) ==
          "    1  äb  short\n1,000  c   one two three four\n           five six\n           ALTER TABLE x;\n");
    // Narrower than anyone can read: the terminal may break the lines then.
    CHECK(rows.print(5) == rows.print(31));
}

TEST_CASE("a table lets no cell steer the terminal") {
    table rows({table::align::left, table::align::left});
    rows.add({"a\x1b[2J", "b\x07"});
    CHECK(rows.print(0) == "a\\x1b[2J  b\\x07\n");
}

TEST_CASE("numbers and times are written for people") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1'000) == "1,000");
    CHECK(grouped(1'234'567) == "1,234,567");
    CHECK(rough(300ms) == "0.3s");
    CHECK(rough(125s) == "2m 5s");
    CHECK(rough(3h + 25min) == "3h 25m");
    CHECK(rough(76h) == "3d 4h");
    CHECK(rough(-5s) == "-5.0s");
}
