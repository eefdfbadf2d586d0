#pragma once
// test/contract/sqlite_subject.hpp - SQLite, each table in a file of its own. Needs no server.

#include "test/contract/subject.hpp"

namespace contract {

kind_of_database sqlite();

}  // namespace contract
