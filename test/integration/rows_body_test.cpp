// Bodies arrive byte for byte.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "test/integration/rows.hpp"

using rows::put;

TEST_SUITE("rows") {
    TEST_CASE("an empty body, and one that is NULL, are sent as empty messages") {
        support::scene here(support::table::classic());
        put(here, "empty", {{"msg", "''"}});
        put(here, "null", {{"msg", "NULL"}});
        const auto messages = rows::relayed(here, 2);
        REQUIRE(messages.size() == 2);
        for (const auto& one : messages) CHECK(one.body.empty());
    }

    TEST_CASE("any bytes in a blob column arrive as they are") {
        std::string every;
        for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
        support::scene here;
        here.server.execute(here.table.in("ALTER TABLE {} MODIFY msg longblob NOT NULL"));
        put(here, "a", {{"msg", support::bytes(every)}});
        put(here, "b", {{"msg", support::bytes(std::string(1, '\0'))}});
        put(here, "c", {{"msg", support::bytes("\xC3\x28 \xF0\x28\x8C\xBC")}});
        put(here, "d", {{"msg", "REPEAT(" + support::bytes(every) + ", 1000)"}});  // fetched apart from its page
        const auto messages = rows::relayed(here, 4);
        REQUIRE(messages.size() == 4);
        std::string thousand;
        for (int i = 0; i < 1'000; ++i) thousand += every;
        for (const auto& one : messages) {
            CAPTURE(one.id);
            if (one.id == "a") CHECK(one.body == every);
            if (one.id == "b") CHECK(one.body == std::string(1, '\0'));
            if (one.id == "c") CHECK(one.body == "\xC3\x28 \xF0\x28\x8C\xBC");
            if (one.id == "d") CHECK((one.body == thousand));
        }
    }

    TEST_CASE("four-byte characters arrive as UTF-8, in every column") {
        support::scene here;
        const std::string key = "schlüssel.漢字.😀";
        put(here, "id 😀 𝄞", {{"msg", support::utf8("{\"text\": \"😀 𝄞 漢 ü\"}")}, {"routing_key", support::utf8(key)}});
        const auto message = rows::only(here);
        CHECK(message.id == "id 😀 𝄞");
        CHECK(message.body == "{\"text\": \"😀 𝄞 漢 ü\"}");
        CHECK(message.routing_key == key);
    }

    // More than the memory window holds at once, so the reader has to wait for room again and again.
    TEST_CASE("bodies of ten megabytes are delivered in order, with small ones between them") {
        support::scene here;
        constexpr std::size_t ten_megabytes = 10'000'000;
        for (int i = 0; i < 5; ++i) {
            put(here, fmt::format("{} large", i),
                {{"next_try_time", "1"},
                 {"msg", fmt::format("CONCAT('<{0}', REPEAT('x', {1}), '{0}>')", i, ten_megabytes - 4)}});
            put(here, fmt::format("{} small", i), {{"next_try_time", "1"}});
        }
        const auto messages = rows::relayed(here, 10);
        REQUIRE(messages.size() == 10);
        for (std::size_t i = 0; i < 5; ++i) {
            const auto& large = messages[2 * i];
            CAPTURE(large.id);
            CHECK(large.id == fmt::format("{} large", i));
            CHECK(large.body.size() == ten_megabytes);
            CHECK(large.body.substr(0, 3) == fmt::format("<{}x", i));
            CHECK(large.body.substr(ten_megabytes - 3) == fmt::format("x{}>", i));
            CHECK(messages[2 * i + 1].id == fmt::format("{} small", i));
        }
    }

    TEST_CASE("a body larger than the whole memory window passes alone") {
        support::scene here;
        put(here, "a", {{"msg", "REPEAT('x', 3000000)"}});
        put(here, "b", {{"msg", "REPEAT('y', 3000000)"}});
        put(here, "c");
        const auto messages = rows::relayed(here, 3, [](conf::settings& s) { s.relay.window_bytes = {100'000}; });
        REQUIRE(messages.size() == 3);
        std::size_t bytes = 0;
        for (const auto& one : messages) bytes += one.body.size();
        CHECK(bytes == 6'000'002);
    }
}
