#pragma once
// test/contract/postgresql_subject.hpp - PostgreSQL, at the server of OUTBOX_TEST_POSTGRESQL_URL.

#include "test/contract/subject.hpp"

namespace contract {

kind_of_database postgresql();

}  // namespace contract
