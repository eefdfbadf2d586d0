#pragma once
// relay/in_flight.hpp - which rows are on their way from reading to settling, so that none is taken up twice.

#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace relay {

/// Thread-safe. One reader.
///
/// A SELECT that began before a settling UPDATE committed still shows its rows as due. So a row that is settled while a
/// read is under way stays here until that read has ended.
class in_flight {
  public:
    explicit in_flight(std::size_t most_rows) : most_(most_rows) {}

    void read_began();
    void read_ended();

    /// Takes the row up. False: it is on its way already. Only between read_began and read_ended.
    bool admit(const std::string& id);

    /// Their outcome is recorded.
    void settled(std::span<const std::string> ids);

    /// They stay as they are in the table, to be read again.
    void released(std::span<const std::string> ids);

    /// How many more rows may be taken up.
    std::size_t room() const;
    std::size_t size() const;

  private:
    enum class state { on_its_way, settled_during_read };

    const std::size_t most_;

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    bool reading_ = false;
    std::unordered_map<std::string, state> rows_;
    std::vector<std::string> settled_during_read_;
};

}  // namespace relay
