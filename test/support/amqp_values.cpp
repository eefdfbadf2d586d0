#include "test/support/amqp_values.hpp"

#include <stdexcept>

namespace support {
namespace {

nlohmann::json to_json(const amqp_field_value_t& field);

nlohmann::json to_json(const amqp_table_t& table) {
    auto object = nlohmann::json::object();
    for (int i = 0; i < table.num_entries; ++i) object[text_of(table.entries[i].key)] = to_json(table.entries[i].value);
    return object;
}

nlohmann::json to_json(const amqp_field_value_t& field) {
    switch (field.kind) {
        case AMQP_FIELD_KIND_BOOLEAN: return field.value.boolean != 0;
        case AMQP_FIELD_KIND_I8: return field.value.i8;
        case AMQP_FIELD_KIND_U8: return field.value.u8;
        case AMQP_FIELD_KIND_I16: return field.value.i16;
        case AMQP_FIELD_KIND_U16: return field.value.u16;
        case AMQP_FIELD_KIND_I32: return field.value.i32;
        case AMQP_FIELD_KIND_U32: return field.value.u32;
        case AMQP_FIELD_KIND_I64: return field.value.i64;
        case AMQP_FIELD_KIND_U64:
        case AMQP_FIELD_KIND_TIMESTAMP: return field.value.u64;
        case AMQP_FIELD_KIND_F32: return field.value.f32;
        case AMQP_FIELD_KIND_F64: return field.value.f64;
        case AMQP_FIELD_KIND_UTF8:
        case AMQP_FIELD_KIND_BYTES: return text_of(field.value.bytes);
        case AMQP_FIELD_KIND_TABLE: return to_json(field.value.table);
        case AMQP_FIELD_KIND_ARRAY: {
            auto array = nlohmann::json::array();
            for (int i = 0; i < field.value.array.num_entries; ++i)
                array.push_back(to_json(field.value.array.entries[i]));
            return array;
        }
        case AMQP_FIELD_KIND_VOID: return nullptr;
        default: throw std::runtime_error(std::string("a header of unknown kind ") + static_cast<char>(field.kind));
    }
}

}  // namespace

arguments::arguments(const nlohmann::json& object) {
    for (const auto& [name, value] : object.items()) {
        amqp_table_entry_t entry{};
        entry.key = bytes_of(names_.emplace_back(name));
        if (value.is_string()) {
            entry.value.kind = AMQP_FIELD_KIND_UTF8;
            entry.value.value.bytes = bytes_of(value.get_ref<const std::string&>());
        } else if (value.is_boolean()) {
            entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
            entry.value.value.boolean = value.get<bool>() ? 1 : 0;
        } else {
            entry.value.kind = AMQP_FIELD_KIND_I64;
            entry.value.value.i64 = value.get<std::int64_t>();
        }
        entries_.push_back(entry);
    }
}

void read_content(const amqp_basic_properties_t& properties, amqp_bytes_t body, received& to) {
    const auto has = [&](amqp_flags_t flag) { return (properties._flags & flag) != 0; };
    const auto take = [&](amqp_flags_t flag, std::string& member, amqp_bytes_t value) {
        if (has(flag)) member = text_of(value);
    };
    to.body = text_of(body);
    take(AMQP_BASIC_MESSAGE_ID_FLAG, to.id, properties.message_id);
    take(AMQP_BASIC_CONTENT_TYPE_FLAG, to.content_type, properties.content_type);
    take(AMQP_BASIC_CONTENT_ENCODING_FLAG, to.content_encoding, properties.content_encoding);
    take(AMQP_BASIC_CORRELATION_ID_FLAG, to.correlation_id, properties.correlation_id);
    take(AMQP_BASIC_REPLY_TO_FLAG, to.reply_to, properties.reply_to);
    take(AMQP_BASIC_EXPIRATION_FLAG, to.expiration, properties.expiration);
    take(AMQP_BASIC_TYPE_FLAG, to.type, properties.type);
    take(AMQP_BASIC_APP_ID_FLAG, to.app_id, properties.app_id);
    if (has(AMQP_BASIC_TIMESTAMP_FLAG)) to.timestamp = properties.timestamp;
    if (has(AMQP_BASIC_DELIVERY_MODE_FLAG)) to.delivery_mode = properties.delivery_mode;
    if (has(AMQP_BASIC_PRIORITY_FLAG)) to.priority = properties.priority;
    if (!has(AMQP_BASIC_HEADERS_FLAG)) return;
    to.headers = to_json(properties.headers);
    for (int i = 0; i < properties.headers.num_entries; ++i)
        to.header_kinds += static_cast<char>(properties.headers.entries[i].value.kind);
}

}  // namespace support
