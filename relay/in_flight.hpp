#pragma once
// relay/in_flight.hpp - which rows are on their way from reading to settling, so that none is taken up twice.

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace relay {

/// Thread-safe. One reader.
///
/// A SELECT that began before a settling UPDATE committed still shows its rows as due. So a row that is settled while a
/// read is under way stays here until that read has ended.
///
/// Only the ids' hashes are kept: two rows with the same one just don't travel at the same time.
class in_flight {
  public:
    explicit in_flight(std::size_t most_rows) : most_(most_rows) {}

    void read_began();
    void read_ended();

    /// Takes the row up. False: it is on its way already, or its lane is closed. Only between read_began and
    /// read_ended.
    bool admit(const std::string& id, unsigned lane);

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
    struct entry {
        unsigned lane = 0;
        bool settled = false;  // during the read that is under way
    };

    void one_less(unsigned lane);

    const std::size_t most_;

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    bool reading_ = false;
    std::unordered_map<std::size_t, entry> rows_;  // by the id's hash
    std::map<unsigned, std::size_t> unsettled_;    // rows of each lane
    std::optional<std::set<unsigned>> open_;       // nullopt: all lanes
    std::vector<std::size_t> settled_during_read_;
};

}  // namespace relay
