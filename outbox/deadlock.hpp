#pragma once
// outbox/deadlock.hpp - what is worth trying again at once.

#include "outbox/store.hpp"

namespace outbox {

/// The database chose this transaction to give way to another, and expects it to be tried again.
class store_deadlock : public store_busy {
    using store_busy::store_busy;
};

/// There is a row with that key already.
class store_duplicate : public store_error {
    using store_error::store_error;
};

/// Tries again what such an error says to try again; more often than a few times, it is for the caller.
template <class Error, class Work>
auto retrying(Work&& work) {
    constexpr int attempts = 4;
    for (int attempt = 1;; ++attempt) {
        try {
            return work();
        } catch (const Error&) {
            if (attempt == attempts) throw;
        }
    }
}

/// In the end, it is for the caller to try with fewer rows. Who has waited for a lock in vain would only wait as long
/// again, and hold up what could be settled meanwhile.
template <class Work>
auto retrying_deadlocks(Work&& work) {
    return retrying<store_deadlock>(work);
}

}  // namespace outbox
