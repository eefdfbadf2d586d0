#include "relay/amqp_table.hpp"

#include <cmath>
#include <limits>
#include <new>

namespace relay::amqp {
namespace {

template <class T>
T* allocate(amqp_pool_t& pool, std::size_t count) {
    if (count == 0) return nullptr;
    void* memory = amqp_pool_alloc(&pool, count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
}

amqp_field_value_t to_value(const nlohmann::json& json, amqp_pool_t& pool);

amqp_array_t to_array(const nlohmann::json& json, amqp_pool_t& pool) {
    amqp_array_t array{0, allocate<amqp_field_value_t>(pool, json.size())};
    for (const auto& element : json) array.entries[array.num_entries++] = to_value(element, pool);
    return array;
}

amqp_field_value_t to_value(const nlohmann::json& json, amqp_pool_t& pool) {
    using type = nlohmann::json::value_t;
    amqp_field_value_t field{};
    const auto as_double = [&] {
        field.kind = AMQP_FIELD_KIND_F64;
        field.value.f64 = json.get<double>();
    };
    const auto as_integer = [&] {
        field.kind = AMQP_FIELD_KIND_I64;
        field.value.i64 = json.get<std::int64_t>();
    };
    switch (json.type()) {
        case type::object:
            field.kind = AMQP_FIELD_KIND_TABLE;
            field.value.table = to_table(json, pool);
            break;
        case type::array:
            field.kind = AMQP_FIELD_KIND_ARRAY;
            field.value.array = to_array(json, pool);
            break;
        case type::string:
            field.kind = AMQP_FIELD_KIND_UTF8;
            field.value.bytes = bytes_of(json.get_ref<const std::string&>());
            break;
        case type::boolean:
            field.kind = AMQP_FIELD_KIND_BOOLEAN;
            field.value.boolean = json.get<bool>() ? 1 : 0;
            break;
        case type::number_integer: as_integer(); break;
        case type::number_unsigned:
            json.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()} ? as_integer()
                                                                                                 : as_double();
            break;
        case type::number_float: as_double(); break;
        case type::null:
        case type::binary:
        case type::discarded: field.kind = AMQP_FIELD_KIND_VOID; break;
    }
    return field;
}

constexpr int deepest = 32;

nlohmann::json to_json(const amqp_table_t& table, int depth);

nlohmann::json to_json(const amqp_field_value_t& field, int depth) {
    const auto& value = field.value;
    switch (field.kind) {
        case AMQP_FIELD_KIND_BOOLEAN: return value.boolean != 0;
        case AMQP_FIELD_KIND_I8: return value.i8;
        case AMQP_FIELD_KIND_U8: return value.u8;
        case AMQP_FIELD_KIND_I16: return value.i16;
        case AMQP_FIELD_KIND_U16: return value.u16;
        case AMQP_FIELD_KIND_I32: return value.i32;
        case AMQP_FIELD_KIND_U32: return value.u32;
        case AMQP_FIELD_KIND_I64: return value.i64;
        case AMQP_FIELD_KIND_U64:
        case AMQP_FIELD_KIND_TIMESTAMP: return value.u64;
        case AMQP_FIELD_KIND_F32: return value.f32;
        case AMQP_FIELD_KIND_F64: return value.f64;
        case AMQP_FIELD_KIND_DECIMAL: return value.decimal.value / std::pow(10.0, value.decimal.decimals);
        case AMQP_FIELD_KIND_UTF8:
        case AMQP_FIELD_KIND_BYTES: return text_of(value.bytes);
        case AMQP_FIELD_KIND_TABLE: return to_json(value.table, depth + 1);
        case AMQP_FIELD_KIND_ARRAY: {
            auto array = nlohmann::json::array();
            if (depth >= deepest) return nullptr;
            for (int i = 0; i < value.array.num_entries; ++i)
                array.push_back(to_json(value.array.entries[i], depth + 1));
            return array;
        }
        default: return nullptr;
    }
}

nlohmann::json to_json(const amqp_table_t& table, int depth) {
    if (depth > deepest) return nullptr;
    auto object = nlohmann::json::object();
    for (int i = 0; i < table.num_entries; ++i)
        object[std::string(text_of(table.entries[i].key))] = to_json(table.entries[i].value, depth);
    return object;
}

}  // namespace

nlohmann::json to_json(const amqp_table_t& table) { return to_json(table, 1); }

amqp_table_t to_table(const nlohmann::json& object, amqp_pool_t& pool) {
    amqp_table_t table{0, allocate<amqp_table_entry_t>(pool, object.size())};
    for (const auto& [name, value] : object.items()) {
        // items() lends its names from a copy only for arrays; an object's are its own.
        table.entries[table.num_entries].key = bytes_of(name);
        table.entries[table.num_entries].value = to_value(value, pool);
        ++table.num_entries;
    }
    return table;
}

}  // namespace relay::amqp
