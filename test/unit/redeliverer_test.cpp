#include "relay/redeliverer.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "outbox/store.hpp"

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

/// Rows of status 1, as a table lists them: the latest change first, page by page.
struct table final : outbox::inspection {
    outbox::epoch_ms now = 100'000'000;
    std::vector<outbox::summary> rows;
    strings retried;
    std::size_t pages = 0;
    bool away = false;

    void add(const std::string& id, std::chrono::milliseconds unchanged_for, std::chrono::milliseconds old) {
        outbox::summary one;
        one.id = id;
        one.status = 1;
        one.update_time = now - unchanged_for.count();
        one.create_time = now - old.count();
        rows.push_back(one);
    }

    outbox::epoch_ms clock() override {
        if (away) throw outbox::store_unavailable("gone");
        return now;
    }
    outbox::listing list(const outbox::message_filter& filter, const std::optional<outbox::list_place>& after,
                         std::size_t limit, bool) override {
        ++pages;
        CHECK(filter.status == 1);
        std::vector<outbox::summary> found;
        for (const auto& one : rows)
            if (one.update_time >= filter.since && one.update_time < filter.before) found.push_back(one);
        const auto place = [](const auto& one) { return std::pair(one.update_time, one.id); };
        std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return place(b) < place(a); });
        if (after) std::erase_if(found, [&](const auto& one) { return place(*after) <= place(one); });
        outbox::listing page;
        if (found.size() > limit) {
            found.resize(limit);
            page.next = outbox::list_place{found.back().update_time, found.back().id};
        }
        page.rows = found;
        return page;
    }
    std::uint64_t count(const outbox::message_filter&, std::uint64_t) override { return 0; }
    std::optional<outbox::detail> show(const std::string&, std::size_t) override { return std::nullopt; }
    std::size_t retry(std::span<const std::string> ids, bool also_delivered) override {
        CHECK(also_delivered);
        retried.insert(retried.end(), ids.begin(), ids.end());
        return ids.size();
    }
    std::size_t remove(std::span<const std::string>, bool) override { return 0; }
    outbox::edit_outcome edit(const std::string&, const outbox::message_changes&) override {
        return outbox::edit_outcome::gone;
    }
};

struct listener final : relay::observer {
    std::size_t rows = 0;
    int downs = 0;
    void redelivered(std::size_t more) override { rows += more; }
    void database_down(std::string_view, std::string_view) override { ++downs; }
};

struct fixture {
    table rows;
    listener heard;
    bool in_charge = true;
    conf::receipts settings{"", 1h, {3h, 2, 60s}};
    relay::redeliverer make() {
        return {rows, settings, heard, [this] { return in_charge; }};
    }
};

}  // namespace

TEST_SUITE("redelivery") {
    TEST_CASE_FIXTURE(fixture, "what is overdue and young enough is sent again, a few at once") {
        rows.add("fresh", 59min, 59min);
        rows.add("overdue", 61min, 61min);
        rows.add("long overdue", 170min, 170min);
        rows.add("sent again just now", 10min, 170min);
        rows.add("too old", 61min, 181min);
        rows.add("much too old", 200min, 200min);
        rows.add("third", 171min, 171min);
        CHECK(make().run_once() == 60s);
        CHECK(rows.retried == strings{"overdue", "long overdue"});
        CHECK(heard.rows == 2);
    }

    TEST_CASE_FIXTURE(fixture, "rows that are too old hide no others, and cost a bounded look") {
        for (int i = 0; i < 1'200; ++i) rows.add("old" + std::to_string(i), 61min, 181min);
        rows.add("behind them", 62min, 62min);
        make().run_once();
        CHECK(rows.retried == strings{"behind them"});
        for (int i = 0; i < 12'000; ++i) rows.add("older" + std::to_string(i), 61min, 181min);
        rows.pages = 0;
        make().run_once();
        CHECK(rows.pages <= 20);
    }

    TEST_CASE_FIXTURE(fixture, "only the sidecar in charge does it, and trouble is told once") {
        rows.add("overdue", 61min, 61min);
        in_charge = false;
        make().run_once();
        CHECK(rows.pages == 0);
        in_charge = true;
        rows.away = true;
        auto one = make();
        for (int i = 0; i < 3; ++i) CHECK(one.run_once() == 60s);
        CHECK(heard.downs == 1);
        rows.away = false;
        one.run_once();
        CHECK(rows.retried == strings{"overdue"});
    }
}
