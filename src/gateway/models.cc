/// GET /v1/models: what the routes offer. A route with a glob, and a default route that takes any
/// name, offer what their upstream lists itself.

#include "dialect/openai_chat/models.h"

#include "base/text.h"
#include "dialect/anthropic_messages/models.h"
#include "gateway/answers.h"
#include "gateway/render_error.h"
#include "gateway/respond.h"
#include "observe/log.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace sluice::gateway {
namespace {

namespace anthropic = dialect::anthropic_messages;
using dialect::openai_chat::Model;
using Models = std::vector<Model>;

constexpr std::chrono::seconds kListLifetime{60};
constexpr std::chrono::seconds kFailureLifetime{5};
constexpr std::chrono::seconds kListTime{10};  // a list is no inference: it comes soon or not
constexpr std::size_t kMaxListBytes = 4UL * 1024 * 1024;

int hex_digit(char c) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto at = kDigits.find(to_lower(c));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// Clients write the slash of `deepseek/chat` as %2F. What is no escape stays as it is.
std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                            hex_digit(text[i + 2]) >= 0;
        if (!escape) {
            out.push_back(text[i]);
            continue;
        }
        out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
        i += 2;
    }
    return out;
}

net::Task<Result<Models>> fetch(Exchange& exchange, const config::Upstream& upstream) {
    exchange.fly(exchange.gateway.origin(upstream).flight());
    upstream::Ask question;
    question.path = upstream.paths.models;
    if (upstream.auth == config::Auth::passthrough) {
        question.credential = exchange.client_credential;
    }
    question.first_byte = kListTime;
    question.request_id = exchange.request_id;
    auto opened = co_await exchange.flight().open(question);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    if (exchange.flight().reply().status != 200) {
        co_return fail(Errc::upstream_status,
                       "status " + std::to_string(exchange.flight().reply().status));
    }
    std::string body;
    while (body.size() <= kMaxListBytes) {
        const auto piece = co_await exchange.flight().next();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        body.append(*piece);
    }
    co_return upstream.kind == config::UpstreamKind::anthropic
        ? anthropic::read_models(body)
        : dialect::openai_chat::read_models(body);
}

/// From memory where it is fresh. A list that cannot be had is left out, or the old one serves.
/// What an upstream lists for a client's own credential is that client's alone.
net::Task<Models> list_of(Exchange& exchange, const config::Upstream& upstream) {
    if (upstream.auth == config::Auth::passthrough) {
        auto own = co_await fetch(exchange, upstream);
        exchange.land();
        co_return own ? std::move(*own) : Models();
    }
    auto& lists = exchange.gateway.model_lists();
    const auto known = lists.find(upstream.name);
    if (known != lists.end() && known->second.good_until > net::Clock::now()) {
        co_return known->second.models;
    }
    auto fetched = co_await fetch(exchange, upstream);
    exchange.land();
    if (exchange.client_gone || exchange.stopping) co_return Models();
    Gateway::ModelList& list = lists[upstream.name];
    if (fetched) {
        list.models = std::move(*fetched);
        list.good_until = net::Clock::now() + kListLifetime;
    } else {
        observe::log_warn("the list of models cannot be had",
                          {{"upstream", upstream.name}, {"reason", fetched.error().message}});
        list.good_until = net::Clock::now() + kFailureLifetime;
    }
    co_return list.models;
}

void add(Models& models, Model model) {
    if (std::ranges::find(models, model.id, &Model::id) == models.end()) {
        models.push_back(std::move(model));
    }
}

/// What a route without a glob offers: its own name.
Model named(std::string_view name, std::span<const config::Target> targets) {
    Model model;
    model.id = name;
    model.owned_by = targets.front().upstream;
    return model;
}

/// Adds what a route with the name or glob `pattern` offers.
net::Task<> add_route(Exchange& exchange, std::string_view pattern,
                      std::span<const config::Target> targets, Models& models) {
    if (!pattern.contains('*')) {
        add(models, named(pattern, targets));
        co_return;
    }
    for (const config::Target& target : targets) {
        if (target.model != "*") {
            if (glob_match(pattern, target.model)) add(models, named(target.model, {&target, 1}));
            continue;
        }
        const config::Upstream& upstream = *exchange.snapshot->upstream(target.upstream);
        const Models listed = co_await list_of(exchange, upstream);
        for (const Model& model : listed) {
            if (glob_match(pattern, model.id)) add(models, model);
        }
    }
}

void respond_model(Exchange& exchange, const Model& model) {
    exchange.dialect = error_dialect(exchange);
    respond_json(exchange, 200,
                 exchange.dialect == Dialect::anthropic_messages
                     ? anthropic::write_model(model)
                     : dialect::openai_chat::write_model(model));
}

}  // namespace

net::Task<Result<Models>> offered_models(Exchange& exchange) {
    exchange.watch_client();
    Models models;
    for (const auto& route : exchange.snapshot->routes) {
        const std::string_view pattern = route->is_default() ? "*" : route->name;
        co_await add_route(exchange, pattern, route->plan.route().targets, models);
    }
    std::erase_if(models, [&](const Model& model) { return !exchange.scope.may_use(model.id); });
    if (exchange.client_gone) co_return fail(Errc::client_gone);
    if (exchange.stopping) co_return fail(Errc::cancelled);
    co_return models;
}

net::Task<Result<void>> answer_models(Exchange& exchange) {
    const auto models = co_await offered_models(exchange);
    if (!models) co_return std::unexpected(models.error());
    exchange.dialect = error_dialect(exchange);
    if (exchange.dialect == Dialect::anthropic_messages) {
        const auto page = anthropic::read_page(exchange.client.head().query);
        if (!page) co_return std::unexpected(page.error());
        respond_json(exchange, 200, anthropic::write_models(*models, *page));
        co_return Result<void>();
    }
    respond_json(exchange, 200, dialect::openai_chat::write_models(*models));
    co_return Result<void>();
}

net::Task<Result<void>> answer_model(Exchange& exchange) {
    const std::string name = percent_decoded(exchange.path_argument);
    const auto& routes = exchange.snapshot->config.routes;
    const auto route = std::ranges::find(routes, name, &config::Route::model);
    if (route != routes.end() && !route->model.contains('*') && exchange.scope.may_use(name)) {
        const Model model = named(name, route->targets);
        respond_model(exchange, model);
        co_return Result<void>();
    }
    const auto models = co_await offered_models(exchange);
    if (!models) co_return std::unexpected(models.error());
    const auto found = std::ranges::find(*models, name, &Model::id);
    if (found == models->end()) {
        Error unknown(Errc::model_not_found, "the model `" + std::string(exchange.path_argument) +
                                                 "` does not exist here; GET /v1/models lists "
                                                 "those that do");
        unknown.param = "model";
        co_return std::unexpected(std::move(unknown));
    }
    respond_model(exchange, *found);
    co_return Result<void>();
}

}  // namespace sluice::gateway
