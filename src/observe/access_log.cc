#include "observe/access_log.h"

#include "observe/log_line.h"

#include <utility>

namespace sluice::observe {
namespace {

constexpr std::size_t kTextLimit = 1024;

/// Room for the record that goes over the block's size, so that the buffer seldom grows.
constexpr std::size_t kSlackBytes = 4096;

void text(LineWriter& line, std::string_view name, std::string_view value) {
    if (!value.empty()) line.field(name, value);
}

template <class T>
void maybe(LineWriter& line, std::string_view name, const std::optional<T>& value) {
    if (value) line.field(name, *value);
}

void identity(LineWriter& line, const AccessRecord& record) {
    text(line, "request_id", record.request_id);
    text(line, "method", record.method);
    text(line, "path", record.path);
    line.field("status", std::int64_t{record.status});
    text(line, "error", record.error);
    text(line, "key", record.key_name);
}

void target(LineWriter& line, const AccessRecord& record) {
    text(line, "route", record.route);
    text(line, "variant", record.variant);
    text(line, "upstream", record.upstream);
    text(line, "model", record.model);
    text(line, "reply_model", record.reply_model);
    text(line, "upstream_request_id", record.upstream_request_id);
    line.field("attempts", std::int64_t{record.attempts});
    text(line, "tried", record.tried);
    if (record.hedged) line.field("hedged", true);
    line.field("stream", record.stream);
    text(line, "finish_reason", record.finish_reason);
    text(line, "dropped", record.dropped);
}

void quantities(LineWriter& line, const AccessRecord& record) {
    line.field("bytes_in", record.bytes_in);
    line.field("bytes_out", record.bytes_out);
    maybe(line, "input_tokens", record.input_tokens);
    maybe(line, "cached_tokens", record.cached_tokens);
    maybe(line, "output_tokens", record.output_tokens);
    maybe(line, "reasoning_tokens", record.reasoning_tokens);
    maybe(line, "queue_ms", record.queue);
    maybe(line, "upstream_first_byte_ms", record.upstream_first_byte);
    line.field("total_ms", record.total);
}

}  // namespace

AccessLog::AccessLog(LogFormat format, Sink sink) : format_(format), sink_(std::move(sink)) {}

AccessLog::~AccessLog() {
    flush();
}

void AccessLog::record(const AccessRecord& record) {
    if (!log_enabled(LogLevel::info)) return;
    if (buffer_.capacity() < kBlockBytes) buffer_.reserve(kBlockBytes + kSlackBytes);
    LineWriter line(buffer_, format_, kTextLimit);
    line.begin(record.start, LogLevel::info, "request");
    identity(line, record);
    target(line, record);
    quantities(line, record);
    line.end();
    if (buffer_.size() >= kBlockBytes) flush();
}

void AccessLog::flush() {
    if (buffer_.empty()) return;
    sink_(buffer_);
    buffer_.clear();
}

}  // namespace sluice::observe
