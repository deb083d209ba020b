#include "request.h"

#include <charconv>

namespace sluice::bench {

std::string request_bytes(const Question& question, const Credentials& credentials,
                          Dialect dialect) {
    const bool is_openai = dialect == Dialect::openai;
    std::string body = R"({"model":")" + credentials.model + R"(","stream":)";
    body += question.stream ? "true" : "false";
    if (question.stream && is_openai) body += R"(,"stream_options":{"include_usage":true})";
    body += R"(,"max_tokens":)" + std::to_string(question.events);
    if (is_openai) {
        body += R"(,"bench_interval_us":)" + std::to_string(question.interval_us);
        body += R"(,"bench_reply_bytes":)" + std::to_string(question.reply_bytes);
    }
    body += R"(,"messages":[{"role":"user","content":")";
    constexpr std::string_view kEnd = R"("}]})";
    if (body.size() + kEnd.size() < question.body_bytes) {
        body.append(question.body_bytes - body.size() - kEnd.size(), 'x');
    }
    body += kEnd;

    std::string request = is_openai ? "POST /v1/chat/completions" : "POST /v1/messages";
    request += " HTTP/1.1\r\nHost: bench.test\r\n";
    if (!is_openai) request += "anthropic-version: 2023-06-01\r\n";
    if (!credentials.key.empty()) request += "Authorization: Bearer " + credentials.key + "\r\n";
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    return request;
}

std::int64_t number_field(std::string_view json, std::string_view name, std::int64_t otherwise) {
    const std::string mark = '"' + std::string(name) + "\":";
    const std::size_t at = json.find(mark);
    if (at == std::string_view::npos) return otherwise;
    const std::size_t begin = json.find_first_not_of(' ', at + mark.size());
    if (begin == std::string_view::npos) return otherwise;
    std::int64_t value = otherwise;
    std::from_chars(json.data() + begin, json.data() + json.size(), value);
    return value;
}

Question read_question(std::string_view body_front, Question defaults) {
    Question question = defaults;
    question.stream =
        body_front.contains(R"("stream":true)") || body_front.contains(R"("stream": true)");
    question.events = number_field(body_front, "max_tokens", defaults.events);
    question.interval_us = number_field(body_front, "bench_interval_us", defaults.interval_us);
    question.reply_bytes = number_field(body_front, "bench_reply_bytes", defaults.reply_bytes);
    return question;
}

}  // namespace sluice::bench
