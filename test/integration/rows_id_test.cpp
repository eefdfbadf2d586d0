// The id is a message's identity: none is mistaken for another, none is cut.

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include "test/integration/rows.hpp"

using rows::put;

namespace {

std::string repeated(const std::string& piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += piece;
    return text;
}

std::string sha256(const std::string& text) {
    unsigned char digest[32];
    EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
    std::string hex;
    for (const auto byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace

TEST_SUITE("rows") {
    TEST_CASE("ids that differ only in case or trailing spaces are different messages") {
        support::scene here;
        here.server.execute(here.table.in("ALTER TABLE {} MODIFY id varchar(255) CHARACTER SET utf8mb4 COLLATE " +
                                          support::unpadded_collation(here.server)));
        const std::set<std::string> ids{"abc", "ABC", "Abc", "abc ", "abc  ", " abc", "ÄBC", "äbc", " ", ""};
        for (const auto& id : ids) put(here, id, {{"msg", support::utf8("body of '" + id + "'")}});
        const auto messages = rows::relayed(here, ids.size());
        CHECK(messages.size() == ids.size());
        CHECK(support::ids_of(messages) == ids);
        for (const auto& one : messages) CHECK(one.body == "body of '" + one.id + "'");
    }

    TEST_CASE("of ids that differ only in case, the failed one does not drag the other along") {
        support::scene here;
        put(here, "abc", {{"exchange", "'no.such.exchange'"}});
        put(here, "ABC");
        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 0;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 1));
        REQUIRE(here.reaches(2, 1));
        CHECK(support::state_of(here.server, here.table, "ABC") == support::row_state{1, 0});
        CHECK(support::state_of(here.server, here.table, "abc") == support::row_state{2, 1});
    }

    TEST_CASE("an id of 255 bytes is the message's id") {
        support::scene here;
        const auto id = repeated("é", 127) + "x";
        put(here, id);
        const auto message = rows::only(here);
        CHECK(message.id == id);
        CHECK(message.headers.empty());
    }

    TEST_CASE("an id too long for AMQP is sent whole as a header, and its digest as the message's id") {
        support::scene here;
        const auto stem = repeated("𝄞", 254);
        put(here, stem + "😀", {{"headers", "'{\"a\": 1}'"}});
        put(here, stem + "😁");
        const auto messages = rows::relayed(here, 2);
        REQUIRE(messages.size() == 2);
        for (std::size_t i = 0; i < 2; ++i) {
            const auto id = stem + (i == 0 ? "😀" : "😁");
            CHECK(messages[i].id == "sha256:" + sha256(id));
            CHECK(messages[i].headers.at("outbox-id") == id);
        }
        CHECK(messages[0].headers.at("a") == 1);
    }

    TEST_CASE("a message with an id too long for AMQP that nobody wants is told apart from others") {
        support::scene here;
        here.rabbit.declare_exchange(here.to.exchange() + ".unbound");
        const auto id = repeated("漢", 255);
        put(here, id, {{"exchange", support::utf8(here.to.exchange() + ".unbound")}});
        put(here, "wanted");
        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 0;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 1));
        REQUIRE(here.reaches(2, 1));
        CHECK(here.rows("status = 2 AND id = " + support::utf8(id)) == 1);
        here.rabbit.delete_exchange(here.to.exchange() + ".unbound");
    }
}
