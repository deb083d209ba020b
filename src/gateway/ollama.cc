/// The paths that clients set to "Ollama" ask before they chat, answered from the routes.

#include "base/text.h"
#include "dialect/ollama/models.h"
#include "gateway/answers.h"
#include "gateway/handle.h"
#include "gateway/respond.h"
#include "net/digest.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr std::chrono::hours kLoadedFor{1};

/// Clients compare it to see whether a model has changed; ours has no bytes but its name.
std::string digest_of(std::string_view name) {
    constexpr std::size_t kDigitsOfWord = 16;
    const net::Digest digest = net::sha256(name);
    std::string text(2 * digest.size(), '0');
    for (std::size_t i = 0; i < digest.size(); i += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, digest.data() + i, sizeof word);
        write_hex(text.data() + i / sizeof word * kDigitsOfWord, word);
    }
    return text;
}

dialect::ollama::Model named(const dialect::openai_chat::Model& offered) {
    dialect::ollama::Model model;
    model.name = offered.id;
    model.modified_at = std::chrono::sys_seconds(std::chrono::seconds(offered.created));
    model.digest = digest_of(offered.id);
    model.capabilities = {"completion", "tools"};
    return model;
}

net::Task<Result<std::vector<dialect::ollama::Model>>> offered(Exchange& exchange) {
    const auto models = co_await offered_models(exchange);
    if (!models) co_return std::unexpected(models.error());
    std::vector<dialect::ollama::Model> out;
    out.reserve(models->size());
    for (const auto& model : *models) out.push_back(named(model));
    co_return out;
}

}  // namespace

net::Task<Result<void>> answer_ollama_tags(Exchange& exchange) {
    const auto models = co_await offered(exchange);
    if (!models) co_return std::unexpected(models.error());
    respond_json(exchange, 200, dialect::ollama::write_tags(*models));
    co_return Result<void>();
}

net::Task<Result<void>> answer_ollama_running(Exchange& exchange) {
    const auto models = co_await offered(exchange);
    if (!models) co_return std::unexpected(models.error());
    const auto until =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() + kLoadedFor);
    respond_json(exchange, 200, dialect::ollama::write_running(*models, until));
    co_return Result<void>();
}

/// A model that a route takes is there, also when no list names it.
net::Task<Result<void>> answer_ollama_show(Exchange& exchange) {
    auto read = co_await read_body(exchange);
    if (!read) co_return read;
    const auto asked = dialect::ollama::read_show(exchange.body.view());
    Error error;
    if (asked) {
        const std::string name(dialect::ollama::without_latest(*asked));
        const bool known =
            exchange.scope.may_use(name) && exchange.snapshot->route_of(name) != nullptr;
        if (known) {
            dialect::openai_chat::Model model;
            model.id = name;
            respond_json(exchange, 200, dialect::ollama::write_show(named(model)));
            co_return Result<void>();
        }
        error = Error(Errc::model_not_found, "model '" + *asked + "' not found");
    } else {
        error = asked.error();
    }
    respond_json(exchange, http_status(error.code), dialect::ollama::write_error(error));
    exchange.error = std::move(error);
    co_return Result<void>();
}

net::Task<Result<void>> answer_ollama_version(Exchange& exchange) {
    respond_json(exchange, 200, dialect::ollama::write_version());
    co_return Result<void>();
}

}  // namespace sluice::gateway
