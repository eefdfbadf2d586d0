#include "sidecar/host_lookup.hpp"

#include <netdb.h>

#include <cstring>

#include "sidecar/http_client.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 50ms;  // at whether to go on; an answer wakes at once
constexpr std::size_t most_given_up = 8;

}  // namespace

struct host_lookup::lookup {
    lookup(std::string host_in, std::uint16_t port) : host(std::move(host_in)), service(std::to_string(port)) {
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        request.ar_name = host.c_str();
        request.ar_service = service.c_str();
        request.ar_request = &hints;
    }
    ~lookup() {
        if (request.ar_result) freeaddrinfo(request.ar_result);
    }
    lookup(const lookup&) = delete;
    lookup& operator=(const lookup&) = delete;

    const std::string host, service;
    addrinfo hints{};
    gaicb request{};
};

host_lookup::host_lookup() = default;

host_lookup::~host_lookup() {
    reap();
    // The resolver is not done with them, and there is no way to stop it.
    for (auto& one : given_up_) one.release();
}

void host_lookup::reap() {
    given_up_.remove_if([](const auto& one) { return gai_error(&one->request) != EAI_INPROGRESS; });
}

std::vector<boost::asio::ip::tcp::endpoint> host_lookup::find(const std::string& host, std::uint16_t port,
                                                              std::chrono::steady_clock::time_point until,
                                                              const std::function<bool()>& going) {
    reap();
    if (given_up_.size() >= most_given_up) throw http_error("the name servers do not answer");
    auto one = std::make_unique<lookup>(host, port);
    gaicb* list[] = {&one->request};
    if (const int error = getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr); error != 0)
        throw http_error(gai_strerror(error));
    for (;;) {
        const timespec slice{0, std::chrono::nanoseconds(between_looks).count()};
        gai_suspend(list, 1, &slice);
        if (gai_error(&one->request) != EAI_INPROGRESS) break;
        const bool stopped = !going();
        if (!stopped && std::chrono::steady_clock::now() < until) continue;
        if (gai_cancel(&one->request) == EAI_NOTCANCELED) given_up_.push_back(std::move(one));
        throw http_error(stopped ? "stopped" : "the name servers did not answer in time");
    }
    if (const int error = gai_error(&one->request); error != 0)
        throw http_error(std::string("its host's name has no address: ") + gai_strerror(error));
    std::vector<boost::asio::ip::tcp::endpoint> found;
    for (const auto* info = one->request.ar_result; info; info = info->ai_next) {
        boost::asio::ip::tcp::endpoint endpoint;
        if (info->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), info->ai_addr, info->ai_addrlen);
        endpoint.resize(info->ai_addrlen);
        found.push_back(endpoint);
    }
    if (found.empty()) throw http_error("its host's name has no address");
    return found;
}

}  // namespace sidecar
