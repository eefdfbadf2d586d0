#pragma once
// relay/in_flight.hpp - which rows are on their way from reading to settling, so that none is taken up twice.

#include <cstddef>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace relay {

/// Thread-safe. One reader.
///
/// A SELECT that began before a settling UPDATE committed still shows its rows as due. So a row that is settled while a
/// read is under way stays here until that read has ended.
///
/// Of an order key, one row travels at a time. The key is free as soon as that one is settled, also during a read: who
/// asks for the next one does so with a SELECT that began later.
///
/// Only the ids' hashes are kept: two rows with the same one just don't travel at the same time.
class in_flight {
  public:
    explicit in_flight(std::size_t most_rows) : most_(most_rows) {}

    void read_began();
    void read_ended();

    /// Takes the row up. False: it is on its way already, or another one of its order key, or its lane is closed. Only
    /// between read_began and read_ended. An empty key is none.
    bool admit(const std::string& id, unsigned lane, const std::string& key = {});

    /// Rows that another process or service has taken up, and whose outcome is to be recorded here: not to be taken up
    /// before that is settled. They count in no lane.
    void hold(std::span<const std::string> ids);

    /// A row of this order key is on its way, not yet settled.
    bool has_key(const std::string& key) const;

    /// The order keys of rows that were settled or released, since last asked.
    std::vector<std::string> freed_keys();

    /// Closes all other lanes. All are open at first.
    void admit_only(std::vector<unsigned> lanes);

    /// A row of this lane is on its way, not yet settled. If the lane is closed, false stays false.
    bool has(unsigned lane) const;

    /// Their outcome is recorded.
    void settled(std::span<const std::string> ids);

    /// They stay as they are in the table, to be read again.
    void released(std::span<const std::string> ids);

    /// How many more rows may be taken up.
    std::size_t room() const;
    std::size_t size() const;

  private:
    static constexpr unsigned no_lane = std::numeric_limits<unsigned>::max();

    struct entry {
        unsigned lane = 0;
        std::string key = {};
        bool settled = false;  // during the read that is under way
    };

    void unsettled_no_more(entry& row);

    const std::size_t most_;

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    bool reading_ = false;
    std::unordered_map<std::size_t, entry> rows_;  // by the id's hash
    std::map<unsigned, std::size_t> unsettled_;    // rows of each lane
    std::optional<std::set<unsigned>> open_;       // nullopt: all lanes
    std::vector<std::size_t> settled_during_read_;
    std::unordered_set<std::string> keys_;  // of rows that are not settled yet
    std::vector<std::string> freed_keys_;
};

}  // namespace relay
