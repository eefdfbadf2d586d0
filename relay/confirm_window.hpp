#pragma once
// relay/confirm_window.hpp - the messages of one channel that await the broker's word, and what each word means.
// Pure: knows no socket and no clock. One thread.
//
// Source: https://www.rabbitmq.com/docs/confirms - delivery tags count from 1 per channel, an ack or nack with
// `multiple` answers all tags up to its own, and a basic.return comes before the ack of its message.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.hpp"
#include "relay/outcome.hpp"

namespace relay {

class confirm_window {
  public:
    explicit confirm_window(std::size_t limit) : limit_(limit), allowed_(limit) {}

    /// How many more messages may be sent.
    std::size_t room() const { return outstanding_ < allowed_ ? allowed_ - outstanding_ : 0; }
    std::size_t outstanding() const { return outstanding_; }

    /// A message went out: the channel's next tag is its.
    void sent(delivery&& row, std::string_view message_id, time_point now);

    /// basic.return. False: there is no such message on its way.
    bool returned(std::string_view message_id, int code, std::string_view text);

    /// basic.ack, basic.nack. False: the broker names a tag that was never used, and can't be trusted any more.
    bool acked(std::uint64_t tag, bool multiple, std::vector<attempt>& outcomes);
    bool nacked(std::uint64_t tag, bool multiple, std::vector<attempt>& outcomes);

    /// The broker closed the channel over one message, and with it every confirm that was to come; tags begin anew.
    ///
    /// - The text names an exchange (404, 403), and a topic if it likes: messages there spend their try (no_exchange).
    /// - It names a size limit (406): larger messages are `impossible`.
    /// - Otherwise the culprit is known only if it was alone: `impossible` for 406, no_exchange for other codes. Among
    ///   several, nobody is accused, and fewer are let out at a time: half as many after every such close.
    ///
    /// All but the culprits are unknown and cost nothing.
    void channel_closed(int code, std::string_view text, std::vector<attempt>& outcomes);

    /// The connection is gone: all are unknown; tags begin anew.
    void lost(std::vector<attempt>& outcomes);

    /// When the oldest outstanding message was sent.
    std::optional<time_point> oldest() const;
    /// Its tag; grows as the broker answers, however slowly, and begins anew with the channel.
    std::uint64_t oldest_tag() const { return first_tag_; }

  private:
    struct entry {
        delivery row;
        std::string message_id;  // empty: the row's id
        time_point sent_at;
        std::optional<relay::returned> back;
        bool answered = false;
    };

    bool answer(std::uint64_t tag, bool multiple, bool ack, std::vector<attempt>& outcomes);
    void answer_one(entry& one, bool ack, std::vector<attempt>& outcomes);
    void passed();
    void clear();

    const std::size_t limit_;
    std::size_t allowed_;          // limit_, or less while a culprit is looked for
    std::size_t suspects_ = 0;     // so many have to pass before the limit is lifted
    std::uint64_t first_tag_ = 1;  // of entries_.front()
    std::deque<entry> entries_;
    std::size_t outstanding_ = 0;
};

/// The limit that "message size 17 is larger than (configured) max size 16" names. Nullopt if none is.
std::optional<std::uint64_t> size_limit_named_in(std::string_view close_text);

}  // namespace relay
