#pragma once
// outbox/batch_document.hpp - many rows as one argument of a statement: a JSON array of arrays. Texts travel as
// hexadecimal digits, so that nothing in them can be taken for syntax, nor be changed on the way: NUL, quotes, and
// bytes that are no UTF-8.

#include <cstdint>
#include <string>
#include <string_view>

namespace outbox {

class batch_document {
  public:
    batch_document& row() {
        json_ += json_.size() > 1 ? "],[" : "[";
        first_ = true;
        return *this;
    }
    batch_document& text(std::string_view any) {
        static constexpr auto digits = "0123456789abcdef";
        separate();
        json_ += '"';
        for (const char c : any) {
            const auto byte = static_cast<unsigned char>(c);
            json_ += digits[byte >> 4];
            json_ += digits[byte & 15];
        }
        json_ += '"';
        return *this;
    }
    batch_document& number(std::int64_t value) {
        separate();
        json_ += std::to_string(value);
        return *this;
    }
    batch_document& null() {
        separate();
        json_ += "null";
        return *this;
    }

    std::string json() const { return json_ + (json_.size() > 1 ? "]]" : "]"); }

  private:
    void separate() {
        if (!first_) json_ += ',';
        first_ = false;
    }

    std::string json_ = "[";
    bool first_ = true;
};

}  // namespace outbox
