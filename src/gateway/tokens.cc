#include "gateway/tokens.h"

#include "context/count.h"

namespace sluice::gateway {
namespace {

constexpr std::size_t kMaxSampled = 256UL * 1024;  // counted within a few milliseconds

}  // namespace

context::Vocabulary vocabulary_for(const config::Upstream& upstream, std::string_view model) {
    switch (upstream.tokenizer) {
        case config::Tokenizer::automatic: return context::vocabulary_of(model);
        case config::Tokenizer::deepseek: return context::Vocabulary::deepseek;
        case config::Tokenizer::o200k: return context::Vocabulary::o200k;
        case config::Tokenizer::cl100k: return context::Vocabulary::cl100k;
    }
    return context::vocabulary_of(model);
}

void sample_estimate(Exchange& exchange, const config::Upstream& upstream,
                     const chat::Request& request) {
    // Where nobody counts, the vocabularies' tables need not take up memory.
    if (!exchange.gateway.shared().counts_tokens.load(std::memory_order_relaxed)) return;
    if (exchange.body.size > kMaxSampled || !exchange.gateway.take_sample()) return;
    const context::Vocabulary vocabulary = vocabulary_for(upstream, request.model);
    exchange.estimate = {.model = request.model,
                         .tokens = context::count_tokens(request, vocabulary)};
}

void learn_from_usage(const Exchange& exchange) {
    const bool comparable = exchange.estimate.tokens > 0 && exchange.usage.known &&
                            exchange.usage.input > 0 && !exchange.error;
    if (!comparable) return;
    Shared& shared = exchange.gateway.shared();
    const auto& [model, tokens] = exchange.estimate;
    shared.metrics.token_estimate(shared.calibration.apply(model, tokens), exchange.usage.input);
    shared.calibration.learn(model, tokens, exchange.usage.input);
}

}  // namespace sluice::gateway
