#pragma once

/// A flight over HTTP/1.1, to any server that speaks OpenAI's API.

#include "config/config.h"
#include "net/http1/connection_pool.h"
#include "upstream/flight.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace sluice::upstream {

class Origin;
struct OriginSettings;

class HttpFlight final : public Flight, private net::StreamWatcher {
public:
    /// `origin` must outlive the flight.
    explicit HttpFlight(Origin& origin);
    ~HttpFlight() override;

    net::Task<Result<void>> open(const Ask& ask) override;
    net::Task<Result<std::string_view>> next() override;
    bool at_end() const override { return connection_ && connection_->at_end(); }
    net::Task<> settle() override;
    std::span<const config::Secret> keys() const override;
    void note_progress() override { progress_at_ = net::coarse_now(); }
    void cancel() override;

private:
    net::Task<Result<void>> connect();
    net::Task<Result<void>> send_and_read_head(const Ask& ask);
    net::Task<Result<void>> upload(BodySource& source);
    void await_upload();
    void on_readable() override;
    void on_deadline() override;
    [[nodiscard]] bool lost_the_reuse_race(const Error& error) const;
    void let_go();
    [[nodiscard]] std::string request_head(const Ask& ask) const;
    Result<void> take_head(const Ask& ask);
    void append_credential(const Ask& ask, std::string& head) const;
    [[nodiscard]] net::Clock::time_point deadline_after(config::Milliseconds wait) const;
    [[nodiscard]] net::Clock::time_point within_total(net::Clock::time_point when) const;

    Origin& origin_;
    const std::shared_ptr<const OriginSettings> settings_;
    const std::uint32_t place_;  // where the upstream was when the flight began
    net::Connecting connecting_;
    net::http1::ConnectionPool::Connection connection_;
    std::optional<net::Clock::time_point> total_;  // when the whole exchange must be over
    net::Clock::time_point progress_at_;           // of an event stream whose comments do not count
    BodySource* source_ = nullptr;                 // of the upload under way
    bool upload_expired_ = false;
    bool body_begun_ = false;
    bool comments_count_ = true;
    bool cancelled_ = false;
};

}  // namespace sluice::upstream
