// Dead-letter queues that the management plugin of a real broker names.

#include <doctest/doctest.h>

#include <map>
#include <mutex>

#include "test/support/control.hpp"
#include "test/support/letters.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

class listener final : public relay::observer {
  public:
    void dead_letters(const relay::letter_report& report) override {
        const std::lock_guard lock(mutex_);
        const std::string queue(report.queue);
        if (report.dropped) {
            lengths_.erase(queue);
            return;
        }
        if (report.length) lengths_[queue] = *report.length;
        redriven_ += report.redriven;
    }
    void management_up() override {
        const std::lock_guard lock(mutex_);
        ++ups_;
    }
    void management_down(std::string_view why) override {
        const std::lock_guard lock(mutex_);
        down_ = why;
    }

    std::map<std::string, std::uint64_t> lengths() const { return locked(lengths_); }
    std::uint64_t redriven() const { return locked(redriven_); }
    int ups() const { return locked(ups_); }
    std::string down() const { return locked(down_); }

  private:
    template <class T>
    T locked(const T& value) const {
        const std::lock_guard lock(mutex_);
        return value;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> lengths_;
    std::uint64_t redriven_ = 0;
    int ups_ = 0;
    std::string down_;
};

struct temporary_queue {
    temporary_queue(support::broker& at, std::string its_name) : rabbit(at), name(std::move(its_name)) {
        rabbit.declare_queue(name);
    }
    ~temporary_queue() { rabbit.delete_queue(name); }

    support::broker& rabbit;
    const std::string name;
};

}  // namespace

TEST_SUITE("dead letters by pattern") {
    TEST_CASE("queues that match are found, measured and redriven, and dropped when they are gone") {
        support::management_plugin plugin;
        support::own_database database;
        const auto table = support::table::recommended(database.name());
        support::broker rabbit;
        support::graveyard grave(rabbit);
        const auto prefix = support::unique_name("by.pattern");
        const auto count = [&](const std::string& name, std::size_t times) {
            for (std::size_t i = 0; i < times; ++i) rabbit.publish("", name, "no letter");
        };
        temporary_queue first(rabbit, prefix + ".1.dlq"), other(rabbit, prefix + ".1.live");
        count(first.name, 3);
        count(other.name, 3);

        auto settings = support::quick_settings(table.settings());
        {
            const support::relaying relay(settings);
            support::database server;
            support::insert(server, table, 2, grave.exchange(), "k");
            REQUIRE(eventually([&] { return rabbit.depth(grave.dead()) == 2; }));
        }
        grave.heal();
        conf::dead_letters dlq, graves, named;
        dlq.pattern = prefix + ".*.dlq";
        dlq.paused = true;
        graves.pattern = grave.dead().substr(0, grave.dead().size() - 1) + "?";
        graves.interval = 0ms;
        settings.dead_letters = {dlq, graves};
        settings.management.url = plugin.url();
        settings.management.interval = 1s;

        listener heard;
        sidecar::service service(settings, heard);
        using lengths = std::map<std::string, std::uint64_t>;
        CHECK(eventually([&] { return heard.lengths() == lengths{{first.name, 3}, {grave.dead(), 0}}; }));
        CHECK(eventually([&] { return heard.redriven() == 2 && rabbit.depth(grave.queue()) == 2; }));
        {
            temporary_queue second(rabbit, prefix + ".2.dlq");
            count(second.name, 1);
            CHECK(eventually([&] { return heard.lengths().contains(second.name); }));
        }
        CHECK(eventually([&] { return heard.lengths() == lengths{{first.name, 3}, {grave.dead(), 0}}; }));
        CHECK(heard.down().empty());

        // Away: what is known stays.
        plugin.disable();
        CHECK(eventually([&] { return !heard.down().empty(); }));
        count(first.name, 2);
        CHECK(eventually([&] { return heard.lengths()[first.name] == 5; }));
    }

    TEST_CASE("a user that may not ask is told so") {
        support::management_plugin plugin;
        support::own_database database;
        const auto table = support::table::recommended(database.name());
        auto settings = support::quick_settings(table.settings());
        settings.dead_letters.emplace_back().pattern = "*.dlq";
        settings.management.url = plugin.url();
        settings.management.url.replace(settings.management.url.find("guest:guest"), 11, "guest:wrong");
        listener heard;
        const sidecar::service service(settings, heard);
        CHECK(eventually([&] { return heard.down().find("HTTP 401") != std::string::npos; }));
        CHECK(heard.ups() == 0);
    }
}
