#include <fcntl.h>
#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "conf/url.hpp"
#include "outbox/sqlite.hpp"

namespace outbox {
namespace {

namespace api = sqlite_api;
using namespace std::chrono_literals;

constexpr int oldest_version = 3'035'000;  // UPDATE … FROM, RETURNING
// How long a lock is waited for. SQLite has one for the whole file, which applications hold for moments.
constexpr std::chrono::milliseconds longest_lock_wait = 5s;

// ---- functions for SQL ----------------------------------------------------------------------------------------------

std::string_view bytes_of(api::sqlite3_value* value) {
    if (api::sqlite3_value_type(value) == SQLITE_BLOB) {
        const auto* data = static_cast<const char*>(api::sqlite3_value_blob(value));
        return {data, static_cast<std::size_t>(api::sqlite3_value_bytes(value))};
    }
    const auto* data = reinterpret_cast<const char*>(api::sqlite3_value_text(value));
    return {data, static_cast<std::size_t>(api::sqlite3_value_bytes(value))};
}

bool is_null(api::sqlite3_value* value) { return api::sqlite3_value_type(value) == SQLITE_NULL; }

const auto copied = reinterpret_cast<api::sqlite3_destructor_type>(-1);  // SQLITE_TRANSIENT

// outbox_size(any): bytes as they are sent, whatever the file's encoding.
void size_of(api::sqlite3_context* to, int, api::sqlite3_value** args) {
    if (is_null(args[0])) return api::sqlite3_result_null(to);
    api::sqlite3_result_int64(to, static_cast<api::sqlite3_int64>(bytes_of(args[0]).size()));
}

// outbox_sent(any): as it is sent, in UTF-8 whatever the file's encoding; bytes, as texts end at a NUL for substr().
void sent(api::sqlite3_context* to, int, api::sqlite3_value** args) {
    if (is_null(args[0])) return api::sqlite3_result_null(to);
    const auto bytes = bytes_of(args[0]);
    api::sqlite3_result_blob64(to, bytes.empty() ? "" : bytes.data(), bytes.size(), copied);
}

// outbox_crc32(any): as MySQL's CRC32.
void crc32_of(api::sqlite3_context* to, int, api::sqlite3_value** args) {
    if (is_null(args[0])) return api::sqlite3_result_null(to);
    const auto bytes = bytes_of(args[0]);
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    api::sqlite3_result_int64(to, crc.checksum());
}

std::string from_hex(std::string_view digits) {
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
    return bytes;
}

// outbox_text(hex), outbox_bytes(hex): the fields of a batch_document.
void text_of(api::sqlite3_context* to, int, api::sqlite3_value** args) {
    if (is_null(args[0])) return api::sqlite3_result_null(to);
    const auto bytes = from_hex(bytes_of(args[0]));
    api::sqlite3_result_text(to, bytes.data(), static_cast<int>(bytes.size()), copied);
}

void blob_of(api::sqlite3_context* to, int, api::sqlite3_value** args) {
    if (is_null(args[0])) return api::sqlite3_result_null(to);
    const auto bytes = from_hex(bytes_of(args[0]));
    api::sqlite3_result_blob(to, bytes.data(), static_cast<int>(bytes.size()), copied);
}

void add_functions(api::sqlite3* database) {
    constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    const auto add = [&](const char* name, void (*function)(api::sqlite3_context*, int, api::sqlite3_value**)) {
        api::sqlite3_create_function_v2(database, name, 1, flags, nullptr, function, nullptr, nullptr, nullptr);
    };
    add("outbox_size", size_of);
    add("outbox_sent", sent);
    add("outbox_crc32", crc32_of);
    add("outbox_text", text_of);
    add("outbox_bytes", blob_of);
}

// ---- the file -------------------------------------------------------------------------------------------------------

struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const identity&) const = default;
};

// Never by opening it: closing it again would take away the locks that SQLite holds in this process.
identity look_at(const std::string& file) {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) {
        const int error = errno;
        if (error == ENOENT)
            throw store_unavailable(fmt::format("there is no file {}: run `migrate`, which makes it", file));
        throw store_unavailable(fmt::format("{}: {}", file, std::generic_category().message(error)));
    }
    if (!S_ISREG(found.st_mode)) throw store_unusable(fmt::format("{} is not a file", file));
    return {found.st_dev, found.st_ino};
}

// A name of the kind that says whether a missing file may be made: file:/path?mode=rw
std::string uri_of(const std::string& file) {
    std::string uri = "file:";
    for (const char c : file) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                           c == '-' || c == '_' || c == '.';
        uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri + "?mode=rw";
}

bool has_uris() {
    static const bool enabled =
        api::sqlite3_config(SQLITE_CONFIG_URI, 1) == SQLITE_OK || api::sqlite3_compileoption_used("USE_URI") != 0;
    return enabled;
}

class sqlite_driver final : public soci_driver {
  public:
    sqlite_driver(std::string file, std::chrono::milliseconds lock_wait)
        : file_(std::move(file)), lock_wait_(lock_wait) {}

    void open(soci::session& session) override {
        if (api::sqlite3_libversion_number() < oldest_version || !has_uris())
            throw store_unusable(
                fmt::format("the SQLite library is {}; it has to be 3.35 or newer, with URI file names",
                            api::sqlite3_libversion()));
        const auto before = look_at(file_);
        require_access();
        session.open(soci::sqlite3, fmt::format("dbname={}", uri_of(file_)));
        is_ = look_at(file_);
        if (is_ != before) throw store_unavailable(fmt::format("{} is being replaced", file_));

        auto* const database = handle(session);
        if (api::sqlite3_db_readonly(database, "main") == 1)
            throw store_unavailable(fmt::format("{} can't be written to", file_));
        api::sqlite3_busy_handler(database, wait_for_lock, this);
        add_functions(database);
        // What is committed must survive a power cut, whatever the library's default.
        session << "PRAGMA synchronous = FULL";
        session << "SELECT COUNT(*) FROM sqlite_master";  // reads the file for the first time
    }

    judgement judge(soci::session& session, const soci::soci_error& error) const override {
        const auto* const from_sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
        if (from_sqlite == nullptr) return {fault::refused, error.get_error_message()};
        const int code = from_sqlite->result() & 0xFF;
        auto* const database = handle(session);
        const bool fresh = database != nullptr && (api::sqlite3_errcode(database) & 0xFF) == code;
        const std::string said = fresh ? api::sqlite3_errmsg(database) : error.get_error_message();
        const auto text = [&] { return fmt::format("{}: {} (SQLite error {})", file_, said, code); };
        switch (code) {
            case SQLITE_BUSY:
            case SQLITE_LOCKED:
            case SQLITE_PROTOCOL: return {fault::busy, text()};
            case SQLITE_CONSTRAINT: {
                const int kind = database == nullptr ? 0 : api::sqlite3_extended_errcode(database);
                const bool taken = kind == SQLITE_CONSTRAINT_PRIMARYKEY || kind == SQLITE_CONSTRAINT_UNIQUE;
                return {taken ? fault::duplicate : fault::refused, text()};
            }
            case SQLITE_NOTADB: return {fault::unusable, text()};
            case SQLITE_FULL:
            case SQLITE_IOERR:
            case SQLITE_CANTOPEN:
            case SQLITE_READONLY:
            case SQLITE_PERM:
            case SQLITE_NOMEM:
            case SQLITE_INTERRUPT: return {fault::unavailable, text()};
            default: return {fault::refused, text()};
        }
    }

    void check() override {
        if (look_at(file_) != is_) throw store_unavailable(fmt::format("{} has been replaced by another file", file_));
    }

    // Not when the first row is to be changed: a transaction that has read by then may have to be given up.
    std::string begin() const override { return "BEGIN IMMEDIATE"; }

  private:
    // Looks again every millisecond. SQLite's own way looks ever more seldom, and among applications that write without
    // a pause it may never find the lock free.
    static int wait_for_lock(void* of, int looked) {
        auto& self = *static_cast<sqlite_driver*>(of);
        const auto now = std::chrono::steady_clock::now();
        if (looked == 0) self.waiting_since_ = now;
        if (now - self.waiting_since_ >= self.lock_wait_) return 0;
        api::sqlite3_sleep(1);
        return 1;
    }

    // Static, as the library keeps the type's identity to itself; a session of this driver has no other backend.
    static api::sqlite3* handle(soci::session& session) {
        auto* const backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
        return backend == nullptr ? nullptr : backend->conn_;
    }

    // SQLite says no more than that it can't open a file.
    void require_access() const {
        const auto folder = std::filesystem::path(file_).parent_path().string();
        const auto require = [](const std::string& what, int right, const char* to) {
            if (::faccessat(AT_FDCWD, what.c_str(), right, AT_EACCESS) == 0) return;
            const int error = errno;
            throw store_unavailable(
                fmt::format("{} can't be {}: {}", what, to, std::generic_category().message(error)));
        };
        require(file_, R_OK, "read");
        require(file_, W_OK, "written to");
        require(folder, W_OK | X_OK, "written to, and SQLite needs files of its own in it");
    }

    const std::string file_;
    const std::chrono::milliseconds lock_wait_;
    identity is_;
    std::chrono::steady_clock::time_point waiting_since_;
};

}  // namespace

std::string sqlite_file(const conf::database& settings) {
    const auto url = conf::parse_url(settings.url);
    const auto& file = url.path;
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("database." + what); };
    if (!url.user.empty() || url.password || !settings.password.value.empty())
        refuse("url: SQLite has no accounts; leave user and password out");
    if (settings.tls_use != conf::tls_mode::off)
        refuse("tls.mode: SQLite has no connections to encrypt; set it to off");
    if (settings.table.find('.') != std::string::npos) refuse("table: SQLite has no schemas; name the table alone");

    std::error_code error;
    const auto is = std::filesystem::status(file, error);
    if (std::filesystem::exists(is) && !std::filesystem::is_regular_file(is))
        refuse(fmt::format("url: {} is not a file", file));
    const auto folder = std::filesystem::path(file).parent_path();
    if (!std::filesystem::is_directory(folder, error) && error != std::errc::permission_denied)
        refuse(fmt::format("url: there is no folder {}", folder.string()));
    return file;
}

std::unique_ptr<soci_driver> make_sqlite_driver(const std::string& file, const conf::database& settings) {
    return std::make_unique<sqlite_driver>(file, std::min(settings.query_timeout, longest_lock_wait));
}

}  // namespace outbox
