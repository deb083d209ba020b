#pragma once

/// A second opinion on requests: Beast's parser, which was written by others from the same RFCs.
/// For the tests and the fuzz target; what we take, Beast must take and read the same way.

#include "net/http1/head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <string>
#include <string_view>

namespace sluice::net::http1::testing {

class BeastRequest final : public boost::beast::http::basic_parser<true> {
public:
    explicit BeastRequest(std::string_view head) {
        header_limit(1U << 20);
        body_limit(boost::none);
        put(boost::asio::buffer(head), error_);
    }

    /// Empty when Beast read the head as `ours` says; else what differs.
    [[nodiscard]] std::string difference(const RequestHead& ours) const {
        if (error_) return "Beast refuses it: " + error_.message();
        std::string lines = std::string(ours.method) + " " + std::string(ours.target) + " " +
                            std::to_string(10 + ours.minor_version);
        for (const Field& field : ours.fields) {
            lines.append("\n").append(field.name).append("=").append(field.value);
        }
        if (lines != lines_) return "Beast read: " + lines_;
        if (chunked() != ours.chunked) return "Beast differs on chunked";
        const auto length = content_length();
        if (length.has_value() != ours.content_length.has_value()) return "Beast differs on length";
        if (length && *length != *ours.content_length) return "Beast differs on the length's value";
        if (keep_alive() != ours.keep_alive) return "Beast differs on keep-alive";
        return {};
    }

private:
    using ErrorCode = boost::beast::error_code;
    using Text = boost::beast::string_view;

    void on_request_impl(boost::beast::http::verb /*verb*/, Text method, Text target, int version,
                         ErrorCode& /*error*/) override {
        lines_.append(method).append(" ").append(target).append(" ") += std::to_string(version);
    }
    void on_response_impl(int /*code*/, Text /*reason*/, int /*version*/,
                          ErrorCode& /*error*/) override {}
    void on_field_impl(boost::beast::http::field /*field*/, Text name, Text value,
                       ErrorCode& /*error*/) override {
        lines_.append("\n").append(name).append("=").append(value);
    }
    void on_header_impl(ErrorCode& /*error*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                           ErrorCode& /*error*/) override {}
    std::size_t on_body_impl(Text body, ErrorCode& /*error*/) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/,
                              ErrorCode& /*error*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, Text body,
                                   ErrorCode& /*error*/) override {
        return body.size();
    }
    void on_finish_impl(ErrorCode& /*error*/) override {}

    ErrorCode error_;
    std::string lines_;
};

}  // namespace sluice::net::http1::testing
