#include "sidecar/api/job_routes.hpp"

#include <algorithm>

#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"

namespace sidecar::api {
namespace {

job found(const jobs& in, const request& asked) {
    values::of_query(asked).done();
    const auto one = in.find(asked.param("id"));
    if (!one) throw problem(404, "there is no such job (any more)");
    return *one;
}

}  // namespace

answer counted_answer(std::uint64_t count) {
    return json_answer(
        {{"count", std::min(count, most_counted)}, {"complete", count <= most_counted}, {"dry_run", true}});
}

answer job_answer(const std::optional<job>& begun) {
    if (!begun) throw problem(429, "too many jobs wait already", 10);
    auto result = json_answer({{"job", job_json(*begun)}}, 202);
    result.audit = "job " + begun->id + ": " + begun->action;
    return result;
}

void add_jobs(router& to, const surroundings& with) {
    auto& work = with.work;
    to.add_quick("GET", "/jobs", needs::viewing, [&work](const request& asked) {
        values::of_query(asked).done();
        auto all = json::array();
        for (const auto& one : work.all()) all.push_back(job_json(one));
        return json_answer({{"jobs", all}});
    });
    to.add_quick("GET", "/jobs/{id}", needs::viewing,
                 [&work](const request& asked) { return json_answer(job_json(found(work, asked))); });
    to.add_quick("DELETE", "/jobs/{id}", needs::operating, [&work](const request& asked) {
        const auto one = found(work, asked);
        work.stop(one.id);
        auto result = json_answer(job_json(work.find(one.id).value_or(one)));
        result.audit = "job " + one.id + " stopped: " + one.action;
        return result;
    });
}

}  // namespace sidecar::api
