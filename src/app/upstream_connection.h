#pragma once

/// One connection to the stand-alone upstream: reads requests strictly and answers with whatever
/// bytes the model, the script or the fault wants.

#include "app/upstream_journal.h"
#include "app/upstream_script.h"
#include "config/config.h"
#include "net/http1/request_reader.h"
#include "net/pause.h"
#include "net/stream.h"
#include "net/worker.h"
#include "upstream/embedded/responder.h"

#include <boost/intrusive/list_hook.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::app {

/// What all connections share.
struct UpstreamContext {
    config::Embedded embedded;
    UpstreamScript script;
    UpstreamJournal journal;
    PromptCache prompts;
    bool deepseek_rules = false;  ///< chats that violate DeepSeek's rules are refused
    std::uint64_t replies = 0;
};

class UpstreamConnection final : private net::StreamWatcher,
                                 public boost::intrusive::list_base_hook<
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// `worker` and `context` must outlive the connection.
    UpstreamConnection(net::Worker& worker, UpstreamContext& context, net::Stream stream,
                       std::uint64_t number);

    /// Serves until one side closes.
    net::Task<> run();

    /// Ends run() soon.
    void cancel();

private:
    enum class Got : std::uint8_t { request, early, closed };

    net::Task<Got> read_request();
    net::Task<bool> read_head();
    net::Task<bool> receive();
    [[nodiscard]] bool keep_head();
    [[nodiscard]] bool is_early() const;

    net::Task<bool> answer();
    [[nodiscard]] std::optional<upstream::embedded::WireScript> refuse(
        std::optional<DeepSeekRequest>& conversation);
    [[nodiscard]] upstream::embedded::WireScript tell(const ScriptedTurn& turn,
                                                      const DeepSeekRequest& conversation);
    net::Task<bool> play(const upstream::embedded::WireScript& script, std::size_t split);
    net::Task<bool> play_step(const upstream::embedded::WireStep& step, std::size_t split);
    net::Task<bool> play(upstream::embedded::Reply reply);
    net::Task<bool> play_events(upstream::embedded::Reply& reply);
    net::Task<bool> wait(net::Clock::duration time);
    net::Task<bool> write(std::string_view bytes);
    net::Task<> linger();
    [[nodiscard]] upstream::embedded::Identity identity();

    void on_readable() override;
    void on_deadline() override {}

    net::Worker& worker_;
    UpstreamContext& context_;
    net::Stream stream_;
    net::Pause pause_;
    net::http1::RequestReader reader_;
    std::string buffer_;  // received, not yet taken
    ReceivedRequest request_;
    net::Clock::duration idle_time_ = std::chrono::minutes(10);
    bool keep_alive_ = false;
    bool client_gone_ = false;
    bool cancelled_ = false;
};

}  // namespace sluice::app
