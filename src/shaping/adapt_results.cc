#include "shaping/adapt_media.h"
#include "shaping/adapt_steps.h"

#include <span>
#include <unordered_map>
#include <unordered_set>

namespace sluice::shaping {
namespace {

/// Puts the results of each turn's calls, all of them and in the order of the calls, in front of
/// the message that follows the turn. OpenAI's upstreams refuse anything else.
class Pairing {
public:
    explicit Pairing(Adaptation& adaptation) noexcept : adaptation_(adaptation) {}

    void run() {
        std::vector<chat::Message> old = std::exchange(adaptation_.request.messages, {});
        out().reserve(old.size());
        for (std::size_t i = 0; i < old.size();) {
            calls_.clear();
            waiting_.clear();
            if (old[i].role == chat::Role::assistant) {
                take_calls(old[i]);
                out().push_back(std::move(old[i++]));
            }
            std::size_t end = i;
            while (end < old.size() && old[end].role != chat::Role::assistant) ++end;
            pair(std::span(old).subspan(i, end - i));
            i = end;
        }
    }

private:
    struct Call {
        std::string id;
        std::optional<chat::Part> result;
    };

    std::vector<chat::Message>& out() noexcept { return adaptation_.request.messages; }

    void take_calls(chat::Message& message) {
        for (std::size_t i = 0; i < message.parts.size(); ++i) {
            auto* const call = message.parts[i].as<chat::ToolUse>();
            if (call == nullptr) continue;
            waiting_[call->id].push_back(calls_.size());
            if (std::string id = unique(call->id); id != call->id) {
                adaptation_.notes.add("rename.tool_id", place(out().size(), i));
                call->id = std::move(id);
            }
            calls_.push_back({.id = call->id, .result = std::nullopt});
        }
    }

    /// In the whole conversation: some upstreams begin anew in each turn.
    std::string unique(const std::string& id) {
        if (!id.empty() && used_.insert(id).second) return id;
        const std::string stem = id.empty() ? "call" : id;
        std::size_t& number = numbers_.try_emplace(stem, id.empty() ? 0 : 1).first->second;
        std::string numbered;
        do {
            numbered = stem + '_' + std::to_string(++number);
        } while (!used_.insert(numbered).second);
        return numbered;
    }

    void pair(std::span<chat::Message> following) {
        emptied_.clear();
        in_order_ = true;
        next_ = 0;
        for (std::size_t i = 0; i < following.size(); ++i) collect(following[i], i == 0);
        if (!calls_.empty()) {
            if (!in_order_) {
                adaptation_.notes.add("sort.tool_results", place("messages", out().size()));
            }
            std::vector<chat::Part> results = take_results();
            if (following.empty() || following.front().role != chat::Role::user) {
                out().push_back(
                    {.role = chat::Role::user, .parts = std::move(results), .is_prefix = false});
            } else {
                std::vector<chat::Part>& parts = following.front().parts;
                results.insert(results.end(), std::move_iterator(parts.begin()),
                               std::move_iterator(parts.end()));
                parts = std::move(results);
            }
        }
        for (chat::Message& message : following) {
            const bool had_results_only = message.parts.empty() && emptied_.contains(&message);
            if (!had_results_only) out().push_back(std::move(message));
        }
    }

    /// Takes the results out of a message and leaves what else is there.
    void collect(chat::Message& message, bool is_first) {
        std::vector<chat::Part> rest;
        for (std::size_t i = 0; i < message.parts.size(); ++i) {
            chat::Part& part = message.parts[i];
            auto* const result = part.as<chat::ToolResult>();
            if (result == nullptr) {
                rest.push_back(std::move(part));
                continue;
            }
            Call* const call = answered_by(*result);
            if (call == nullptr) {
                fold_orphan(part, i, rest);
                continue;
            }
            const auto number = static_cast<std::size_t>(call - calls_.data());
            in_order_ = in_order_ && is_first && number >= next_ && rest.empty();
            next_ = number + 1;
            result->id = call->id;
            call->result = std::move(part);
            emptied_.insert(&message);
        }
        message.parts = std::move(rest);
    }

    Call* answered_by(const chat::ToolResult& result) {
        const auto found = waiting_.find(result.id);
        if (found == waiting_.end()) return nullptr;
        for (const std::size_t number : found->second) {
            if (!calls_[number].result) return &calls_[number];
        }
        return nullptr;
    }

    void fold_orphan(chat::Part& part, std::size_t i, std::vector<chat::Part>& rest) {
        adaptation_.notes.add("fold.orphan_tool_result", place(out().size(), i));
        auto& result = *part.as<chat::ToolResult>();
        chat::Part text(chat::Text{"[result of the tool call " + result.id + "]"});
        if (result.content.empty()) text.cache_control = std::move(part.cache_control);
        rest.push_back(std::move(text));
        for (chat::Part& inner : result.content) rest.push_back(std::move(inner));
    }

    std::vector<chat::Part> take_results() {
        std::vector<chat::Part> results;
        results.reserve(calls_.size());
        for (Call& call : calls_) {
            if (!call.result) {
                adaptation_.notes.add("add.tool_result", call.id);
                chat::ToolResult missing{.id = call.id, .content = {}, .is_error = true};
                missing.content.emplace_back(chat::Text{"No result."});
                call.result.emplace(std::move(missing));
            }
            results.push_back(std::move(*call.result));
        }
        return results;
    }

    Adaptation& adaptation_;
    std::vector<Call> calls_;                                            // of the turn in hand
    std::unordered_map<std::string, std::vector<std::size_t>> waiting_;  // by the client's id
    std::unordered_set<std::string> used_;
    std::unordered_map<std::string, std::size_t> numbers_;
    std::unordered_set<const chat::Message*> emptied_;  // some of what was in them is taken
    std::size_t next_ = 0;
    bool in_order_ = true;
};

/// The media of a message's results, which stand in words for them from here on.
std::vector<chat::Part> take_media(Adaptation& adaptation, std::vector<chat::Part>& parts,
                                   std::size_t message) {
    std::vector<chat::Part> lifted;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto* const result = parts[i].as<chat::ToolResult>();
        if (result == nullptr) continue;
        for (chat::Part& part : result->content) {
            const auto* const media = part.as<chat::Media>();
            if (media == nullptr) continue;
            chat::Part text(chat::Text{lifted_text(*media, lifted.size() + 1)});
            if (media->kind == chat::Media::Kind::image) {
                adaptation.notes.add("fold.tool_result_image", place(message, i));
            } else {
                adaptation.notes.add("fold.tool_result_document", place(message, i));
            }
            lifted.push_back(std::exchange(part, std::move(text)));
        }
    }
    return lifted;
}

}  // namespace

void pair_results(Adaptation& adaptation) {
    Pairing(adaptation).run();
}

void lift_result_media(Adaptation& adaptation) {
    if (adaptation.to_anthropic()) return;
    std::vector<chat::Message>& messages = adaptation.request.messages;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        std::vector<chat::Part>& parts = messages[i].parts;
        std::vector<chat::Part> lifted = take_media(adaptation, parts, i);
        if (lifted.empty()) continue;
        const auto after = std::ranges::find_if(
            parts, [](const chat::Part& part) { return part.as<chat::ToolResult>() == nullptr; });
        parts.insert(after, std::move_iterator(lifted.begin()), std::move_iterator(lifted.end()));
    }
}

}  // namespace sluice::shaping
