#pragma once
// test/contract/mysql_subject.hpp - MariaDB and MySQL, whichever OUTBOX_TEST_MYSQL_URL names.

#include "test/contract/subject.hpp"

namespace contract {

/// Throws std::runtime_error, with advice, when the server can't be reached or is not named.
kind_of_database mysql();

}  // namespace contract
