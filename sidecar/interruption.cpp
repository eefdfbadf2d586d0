#include "sidecar/interruption.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace sidecar {

struct interruption::impl {
    boost::asio::io_context io;
    boost::asio::signal_set signals{io, SIGINT, SIGTERM};
    bool came = false;
};

interruption::interruption() : impl_(std::make_unique<impl>()) {
    impl_->signals.async_wait([this](const boost::system::error_code&, int) { impl_->came = true; });
}

interruption::~interruption() = default;

bool interruption::pause(std::chrono::milliseconds time) {
    impl_->io.restart();
    impl_->io.poll();  // which run_for would not even begin with when there is no time
    impl_->io.run_for(time);
    return !impl_->came;
}

}  // namespace sidecar
