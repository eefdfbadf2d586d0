#pragma once
// outbox/soci_driver.hpp - what opening a connection and judging an error takes of each kind of database behind SOCI.
// For soci_session.cpp and for the file of each driver, which alone know SOCI's types.

#include <string>

namespace soci {
class session;
class soci_error;
}  // namespace soci

namespace outbox {

class soci_driver {
  public:
    enum class fault {
        unavailable,  // the connection is of no use, or not at present
        busy,         // a lock was not to be had
        deadlock,     // likewise, and trying again at once helps
        unusable,     // what the url names will never do
        duplicate,    // there is a row with that key already
        refused,      // anything else: the statement, the rights or the data
    };
    struct judgement {
        fault what;
        std::string text;  // for people; without values of the statement's arguments
    };

    virtual ~soci_driver() = default;

    /// Opens and sets whatever results depend on. Throws what outbox/store.hpp says, or soci::soci_error.
    virtual void open(soci::session& session) = 0;
    virtual judgement judge(soci::session& session, const soci::soci_error& error) const = 0;

    /// Called before each use of an open connection, outside of transactions. Throws store_unavailable when it no
    /// longer leads to where a new one would. Cheap.
    virtual void check() {}

    /// Begins a transaction that is going to write.
    virtual std::string begin() const = 0;

    /// False: a statement is sent as it is each time, and leaves nothing behind at the server.
    virtual bool prepares() const { return true; }

    /// Called before and after whatever is run on an open connection.
    virtual void before_use() {}
    virtual void after_use() {}
};

}  // namespace outbox
