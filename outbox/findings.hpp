#pragma once
// outbox/findings.hpp - what examine() collects.

#include <string>
#include <utility>
#include <vector>

#include "outbox/store.hpp"

namespace outbox {

/// Collects findings. `sql` are whole statements, which the advice ends with, each on its own line.
class findings {
  public:
    void good(std::string subject, std::string found) {
        add(finding::grade::good, std::move(subject), std::move(found));
    }
    void advise(std::string subject, std::string found, std::string advice, std::string sql = {}) {
        add(finding::grade::advice, std::move(subject), std::move(found), std::move(advice), std::move(sql));
    }
    void problem(std::string subject, std::string found, std::string advice, std::string sql = {}) {
        add(finding::grade::problem, std::move(subject), std::move(found), std::move(advice), std::move(sql));
    }

    std::vector<finding> all;

  private:
    void add(finding::grade level, std::string subject, std::string found, std::string advice = {},
             std::string sql = {}) {
        if (!sql.empty()) advice += '\n' + sql;
        all.push_back({level, std::move(subject), std::move(found), std::move(advice)});
    }
};

}  // namespace outbox
