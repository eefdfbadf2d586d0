#pragma once
// conf/files.hpp - reading small files whole.

#include <cstddef>
#include <stdexcept>
#include <string>

namespace conf {

/// what() says why, without the file's name: "can't be read: Is a directory".
class unreadable : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// The file's content. Throws `unreadable`, also when there is more than `limit` bytes of it.
std::string read_file(const std::string& path, std::size_t limit);

/// Empty if the file can be opened and read; otherwise why not: "No such file or directory".
std::string why_unreadable(const std::string& path);

}  // namespace conf
