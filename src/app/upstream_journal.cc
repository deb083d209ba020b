#include "app/upstream_journal.h"

#include "json/writer.h"

#include <cerrno>
#include <cstring>

namespace sluice::app {
namespace {

std::int64_t unix_milliseconds() {
    using std::chrono::milliseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(now).count();
}

}  // namespace

Result<UpstreamJournal> UpstreamJournal::open(const std::string& path) {
    UpstreamJournal journal;
    journal.file_.reset(std::fopen(path.c_str(), "we"));
    if (!journal.file_) {
        return fail(Errc::bad_request, path + ": cannot be written: " + std::strerror(errno));
    }
    return journal;
}

void UpstreamJournal::write_request(const ReceivedRequest& request) {
    if (!file_) return;
    std::string line;
    json::Writer json(line);
    json.begin_object().key("event").string("request").key("at_ms").number(unix_milliseconds());
    json.key("connection").number(request.connection).key("number").number(request.number);
    json.key("method").string(request.method).key("path").string(request.target);
    json.key("headers").begin_array();
    for (const auto& [name, value] : request.fields) {
        json.begin_array().string(name).string(value).end_array();
    }
    json.end_array().key("body").string(request.body).end_object();
    write_line(std::move(line));
}

void UpstreamJournal::write_client_gone(const ReceivedRequest& request,
                                        std::chrono::milliseconds after) {
    if (!file_) return;
    std::string line;
    json::Writer json(line);
    json.begin_object().key("event").string("client_gone");
    json.key("connection").number(request.connection).key("number").number(request.number);
    json.key("after_ms").number(after.count()).end_object();
    write_line(std::move(line));
}

void UpstreamJournal::write_violation(const ReceivedRequest& request,
                                      const DeepSeekViolation& violation) {
    if (!file_) return;
    std::string line;
    json::Writer json(line);
    json.begin_object().key("event").string("violation");
    json.key("connection").number(request.connection).key("number").number(request.number);
    json.key("rule").string(violation.rule).key("message").string(violation.message).end_object();
    write_line(std::move(line));
}

void UpstreamJournal::write_turn(const ReceivedRequest& request, const PromptUsage& prompt,
                                 std::span<const std::string> ignored) {
    if (!file_) return;
    std::string line;
    json::Writer json(line);
    json.begin_object().key("event").string("turn");
    json.key("connection").number(request.connection).key("number").number(request.number);
    json.key("prompt_tokens").number(prompt.tokens).key("cached_tokens").number(prompt.cached);
    json.key("prompt_bytes").number(prompt.bytes).key("common_bytes").number(prompt.common_bytes);
    json.key("extends").boolean(prompt.extends).key("ignored").begin_array();
    for (const std::string& name : ignored) json.string(name);
    json.end_array().end_object();
    write_line(std::move(line));
}

void UpstreamJournal::write_line(std::string line) {
    line.push_back('\n');
    (void)std::fwrite(line.data(), 1, line.size(), file_.get());
    (void)std::fflush(file_.get());
}

}  // namespace sluice::app
