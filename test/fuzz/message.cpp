// Whatever a row holds: it becomes a message that fits into the broker's frames, or is impossible for a reason.

#include "relay/amqp_table.hpp"
#include "relay/compose.hpp"
#include "relay/utf8.hpp"
#include "test/fuzz/bytes.hpp"

namespace {

// What RabbitMQ takes in one frame: headers can't be split over several.
constexpr std::size_t frame = 128 * 1024;

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto size = relay::first_character(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

void check(const relay::outgoing& message) {
    fuzz::require(message.message_id.size() <= 255 && message.row.exchange.size() <= 255 &&
                  message.row.routing_key.size() <= 255);
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    auto table = relay::amqp::to_table(message.headers, pool);
    std::string room(frame, '\0');
    std::size_t used = 0;
    fuzz::require(amqp_encode_table({room.size(), room.data()}, &table, &used) == AMQP_STATUS_OK);
    empty_amqp_pool(&pool);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::bytes in(data, size);
    outbox::message row;
    row.headers = in.part();
    row.properties = in.part();
    row.exchange = in.part();
    row.routing_key = in.part();
    row.id = in.part();
    row.body = in.rest();
    row.body_size = row.body.size();
    row.create_time = static_cast<std::int64_t>(size) * 1'000;
    for (const auto envelope : {conf::envelope::none, conf::envelope::row, conf::envelope::cloudevents}) {
        conf::message settings;
        settings.envelope = envelope;
        auto copy = row;
        const auto result = relay::composer(settings).compose(std::move(copy), 0);
        if (const auto* message = std::get_if<relay::outgoing>(&result))
            check(*message);
        else
            fuzz::require(!std::get<relay::impossible>(result).reason.empty() &&
                          is_utf8(std::get<relay::impossible>(result).reason));
    }
    return 0;
}
