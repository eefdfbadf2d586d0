#pragma once
// outbox/mysql_migrations.hpp - the files of schema/mysql/, in order, for the table name `msg_log`.

#include <vector>

#include "outbox/store.hpp"

namespace outbox {

const std::vector<migration>& mysql_migrations();

}  // namespace outbox
