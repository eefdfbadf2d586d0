#pragma once
// sidecar/host_lookup.hpp - the addresses that a name stands for, within a deadline: the system's resolver has none.

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace sidecar {

/// One thread.
class host_lookup {
  public:
    host_lookup();
    /// Does not wait for lookups that were given up.
    ~host_lookup();

    /// In the order in which they are to be tried. Throws http_error: there are none, none were found by `until`, or
    /// `going` has become false.
    std::vector<boost::asio::ip::tcp::endpoint> find(const std::string& host, std::uint16_t port,
                                                     std::chrono::steady_clock::time_point until,
                                                     const std::function<bool()>& going);

  private:
    struct lookup;
    void reap();

    std::list<std::unique_ptr<lookup>> given_up_;  // the resolver still writes into them
};

}  // namespace sidecar
