#include "conf/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace conf {
namespace {

class descriptor {
  public:
    explicit descriptor(const std::string& path) : fd_{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)} {
        if (fd_ < 0) throw unreadable{"can't be read: " + std::generic_category().message(errno)};
    }
    ~descriptor() { ::close(fd_); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    std::size_t read(char* into, std::size_t most) const {
        for (;;) {
            const auto n = ::read(fd_, into, most);
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) throw unreadable{"can't be read: " + std::generic_category().message(errno)};
        }
    }

  private:
    int fd_;
};

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
    const descriptor file{path};
    std::string content;
    std::array<char, 4096> chunk{};
    while (const auto n = file.read(chunk.data(), chunk.size())) {
        content.append(chunk.data(), n);
        if (content.size() > limit) throw unreadable{"is larger than " + std::to_string(limit) + " bytes"};
    }
    return content;
}

std::string why_unreadable(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0)
        return std::generic_category().message(errno);
    return S_ISDIR(status.st_mode) ? "it is a directory" : "";
}

}  // namespace conf
