#include "gateway/lane.h"

namespace sluice::gateway {

Lane lane_of(Dialect client, const config::Upstream& upstream) noexcept {
    switch (upstream.kind) {
        case config::UpstreamKind::anthropic:
            return {.client = client, .upstream = Dialect::anthropic_messages};
        case config::UpstreamKind::openai:
        case config::UpstreamKind::embedded: break;
    }
    const bool takes_text = client == Dialect::openai_text && !upstream.paths.completions.empty();
    return {.client = client, .upstream = takes_text ? client : Dialect::openai_chat};
}

dialect::openai_chat::Shape shape_of(Dialect dialect) noexcept {
    return dialect == Dialect::openai_text ? dialect::openai_chat::Shape::text
                                           : dialect::openai_chat::Shape::chat;
}

}  // namespace sluice::gateway
