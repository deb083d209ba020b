#pragma once

/// Makes one reply of an upstream's replies to the parts of a request, in the format that the
/// client asked for. The first reply is the frame: what is not known in it stays.

#include "base/error.h"
#include "chat/usage.h"
#include "dialect/openai_embeddings/head.h"
#include "dialect/openai_embeddings/reply.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::openai_embeddings {

class Joiner {
public:
    static constexpr std::size_t kMaxReplyBytes = 512UL * 1024 * 1024;

    /// `max_bytes` bounds the reply that is written.
    explicit Joiner(Format asked, std::size_t max_bytes = kMaxReplyBytes) noexcept
        : asked_(asked),
          max_bytes_(max_bytes) {}

    /// Takes the reply to the next part, which had `inputs` inputs. upstream_invalid_response as
    /// read_reply() says, and where its vectors are not as long as those before, cannot be written
    /// in the format asked for, or would make the reply longer than `max_bytes`; the joiner is of
    /// no use after that.
    Result<void> add(std::string body, std::size_t inputs);

    /// The whole reply; to be called once, after one add() at least. The body of a single reply in
    /// the format asked for is given back as it came. Otherwise the embeddings are numbered and
    /// ordered throughout, and, where there were several parts, `usage` tells their sum, or null
    /// where one of them told nothing.
    [[nodiscard]] std::string finish();

    /// Summed over the parts; known when it is known of all.
    [[nodiscard]] const chat::Usage& usage() const noexcept { return usage_; }
    /// As the first reply has it.
    [[nodiscard]] const std::string& model() const noexcept { return first_.model; }
    [[nodiscard]] std::size_t dimensions() const noexcept { return first_.dimensions; }

private:
    Result<void> append(std::string_view body, const Reply& reply);
    [[nodiscard]] bool append_element(std::string_view body, const Embedding& embedding);
    [[nodiscard]] bool append_vector(std::string_view value, Format format);
    void add_usage(const chat::Usage& usage);
    [[nodiscard]] std::string usage_text() const;

    Format asked_;
    std::size_t max_bytes_;
    std::size_t parts_ = 0;
    std::size_t embeddings_ = 0;
    std::string frame_;  ///< the first reply's body
    Reply first_;
    std::string elements_;  ///< of `data`, written; empty while the frame may go as it is
    chat::Usage usage_;
    std::vector<float> numbers_;
};

}  // namespace sluice::dialect::openai_embeddings
