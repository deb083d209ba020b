#include "shaping/adapt_steps.h"

namespace sluice::shaping {
namespace {

/// Claude Code's first system block. It differs from one conversation to the next, so that behind
/// it nothing could be found in a prefix cache.
constexpr std::string_view kBillingHeader = "x-anthropic-billing-header:";

/// As Claude Code itself writes it for a provider that refuses the role.
chat::Part as_reminder(chat::Message& message) {
    std::string text = "<system-reminder>\n";
    text += chat::text_of(message.parts, "\n\n");
    text += "\n</system-reminder>";
    chat::Part part(chat::Text{std::move(text)});
    part.cache_control = std::move(message.parts.back().cache_control);
    return part;
}

/// Behind the tool results, which stay first.
void add_in_front(std::vector<chat::Part>& parts, std::vector<chat::Part>& added) {
    const auto at = std::ranges::find_if(
        parts, [](const chat::Part& part) { return part.as<chat::ToolResult>() == nullptr; });
    parts.insert(at, std::move_iterator(added.begin()), std::move_iterator(added.end()));
    added.clear();
}

chat::Message user_message(std::vector<chat::Part>& parts) {
    return {.role = chat::Role::user, .parts = std::exchange(parts, {}), .is_prefix = false};
}

class SystemMessages {
public:
    explicit SystemMessages(Adaptation& adaptation) noexcept
        : adaptation_(adaptation),
          messages_(adaptation.request.messages) {}

    void run() {
        std::vector<chat::Message> old = std::exchange(messages_, {});
        messages_.reserve(old.size());
        for (std::size_t i = 0; i < old.size(); ++i) take(old, i);
        if (!waiting_.empty()) messages_.push_back(user_message(waiting_));
    }

private:
    void take(std::vector<chat::Message>& old, std::size_t i) {
        chat::Message& message = old[i];
        switch (message.role) {
            case chat::Role::system:
                if (message.parts.empty()) {
                    adaptation_.notes.add("drop.empty_message", place("messages", i));
                    return;
                }
                if (!stays(old, i)) {
                    fold(message, i);
                    return;
                }
                break;
            case chat::Role::user:
                if (!waiting_.empty()) add_in_front(message.parts, waiting_);
                break;
            case chat::Role::assistant:
                if (!waiting_.empty()) messages_.push_back(user_message(waiting_));
                break;
        }
        messages_.push_back(std::move(message));
    }

    /// Anthropic has it between the user's turn and the assistant's only.
    [[nodiscard]] bool stays(const std::vector<chat::Message>& old, std::size_t i) const {
        if (!adaptation_.abilities.mid_system) return false;
        if (!adaptation_.to_anthropic()) return true;
        if (messages_.empty() || messages_.back().role == chat::Role::assistant) return false;
        while (i < old.size() && old[i].role == chat::Role::system) ++i;
        return i == old.size() || old[i].role == chat::Role::assistant;
    }

    void fold(chat::Message& message, std::size_t i) {
        adaptation_.notes.add("fold.system_message", place("messages", i));
        const bool follows_user =
            !messages_.empty() && messages_.back().role == chat::Role::user && waiting_.empty();
        (follows_user ? messages_.back().parts : waiting_).push_back(as_reminder(message));
    }

    Adaptation& adaptation_;
    std::vector<chat::Message>& messages_;
    std::vector<chat::Part> waiting_;  // for the user's next message
};

}  // namespace

void drop_billing_header(Adaptation& adaptation) {
    if (adaptation.abilities.billing_header) return;
    filter(adaptation.request.system, [&](const chat::Part& part, std::size_t i) {
        const auto* const text = part.as<chat::Text>();
        if (text == nullptr || !text->text.starts_with(kBillingHeader)) return true;
        adaptation.notes.add("drop.billing_header", place("system", i));
        return false;
    });
}

void place_system_messages(Adaptation& adaptation) {
    const bool any = std::ranges::any_of(adaptation.request.messages, [](const auto& message) {
        return message.role == chat::Role::system;
    });
    if (any && (adaptation.to_anthropic() || !adaptation.abilities.mid_system)) {
        SystemMessages(adaptation).run();
    }
}

}  // namespace sluice::shaping
