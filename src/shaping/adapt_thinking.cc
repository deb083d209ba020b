#include "shaping/adapt_steps.h"

namespace sluice::shaping {
namespace {

using chat::Effort;
using Mode = chat::ThinkingMode::Kind;

// How hard to think for a budget given in tokens.
constexpr std::uint64_t kSmallBudget = 2'000;
constexpr std::uint64_t kMiddleBudget = 16'000;

Effort effort_for(std::uint64_t budget, Effort middle, Effort most) {
    if (budget <= kSmallBudget) return Effort::low;
    return budget <= kMiddleBudget ? middle : most;
}

/// DeepSeek has low, high and max.
Effort deepseek_effort(Effort effort) {
    switch (effort) {
        case Effort::none:
        case Effort::minimal:
        case Effort::low: return Effort::low;
        case Effort::medium:
        case Effort::high:
        case Effort::xhigh: return Effort::high;
        case Effort::max: return Effort::max;
    }
    return Effort::high;
}

class Thinking {
public:
    explicit Thinking(Adaptation& adaptation) noexcept
        : adaptation_(adaptation),
          mode_(adaptation.request.thinking),
          effort_(adaptation.request.effort) {}

    void run() {
        switch (adaptation_.abilities.thinking) {
            case chat::ThinkingControl::none: drop(); return;
            case chat::ThinkingControl::effort: for_effort(); break;
            case chat::ThinkingControl::deepseek: for_deepseek(); break;
            case chat::ThinkingControl::anthropic: for_anthropic(); break;
        }
        if (is_forbidden()) {
            adaptation_.notes.add("downgrade.thinking_for_forced_tool", "tool_choice");
            disable();
        }
    }

private:
    void drop() {
        if (mode_.kind != Mode::unset) note("drop.thinking", "thinking");
        if (effort_) note("drop.effort", chat::to_string(*effort_));
        mode_ = {};
        effort_.reset();
    }

    void for_effort() {
        switch (mode_.kind) {
            case Mode::unset: return;
            case Mode::disabled:
                if (effort_ && *effort_ != Effort::none) {
                    note("drop.effort", chat::to_string(*effort_));
                }
                effort_ = Effort::none;
                return;
            case Mode::enabled: use_budget(Effort::medium, Effort::high); return;
            case Mode::adaptive: break;
            case Mode::between_tools: note("downgrade.thinking", "between_tools"); break;
        }
        mode_.kind = Mode::enabled;
    }

    void for_deepseek() {
        off_by_default();
        if (effort_ == Effort::none) disable();
        switch (mode_.kind) {
            case Mode::disabled: drop_effort(); return;
            case Mode::unset: break;
            case Mode::enabled: use_budget(Effort::high, Effort::max); break;
            case Mode::adaptive:
            case Mode::between_tools:
                note("downgrade.thinking",
                     mode_.kind == Mode::adaptive ? "adaptive" : "between_tools");
                mode_.kind = Mode::enabled;
                break;
        }
        if (effort_) downgrade_effort(*effort_, deepseek_effort(*effort_));
    }

    void for_anthropic() {
        off_by_default();
        if (effort_ == Effort::none) disable();
        if (effort_ == Effort::minimal) downgrade_effort(Effort::minimal, Effort::low);
        const bool asks = mode_.kind == Mode::unset
                              ? effort_.has_value() && from_openai()
                              : mode_.kind == Mode::enabled && !mode_.budget_tokens;
        if (asks) mode_.kind = Mode::adaptive;
        if (mode_.kind == Mode::disabled && !adaptation_.abilities.signatures) drop_effort();
    }

    /// Whoever speaks Anthropic's dialect takes thinking for opt-in; at DeepSeek it is the default,
    /// whatever the dialect.
    void off_by_default() {
        if (mode_.kind != Mode::unset || from_openai() || adaptation_.abilities.signatures) return;
        note("default.thinking", "thinking");
        mode_.kind = Mode::disabled;
    }

    void use_budget(Effort middle, Effort most) {
        if (!mode_.budget_tokens) return;
        note("downgrade.thinking", "budget_tokens");
        if (!effort_) effort_ = effort_for(*mode_.budget_tokens, middle, most);
        mode_.budget_tokens.reset();
    }

    void downgrade_effort(Effort asked, Effort known) {
        if (asked == known) return;
        note("downgrade.effort", chat::to_string(asked));
        effort_ = known;
    }

    void drop_effort() {
        if (effort_) note("drop.effort", chat::to_string(*effort_));
        effort_.reset();
    }

    void disable() {
        mode_ = {};
        mode_.kind = Mode::disabled;
        effort_.reset();
        if (adaptation_.abilities.thinking == chat::ThinkingControl::effort) {
            effort_ = Effort::none;
        }
    }

    [[nodiscard]] bool from_openai() const noexcept {
        return adaptation_.request.family == chat::Family::openai;
    }

    /// Whether a tool is forced on an upstream that does not let thinking go with it. The client's
    /// choice of a tool is worth more than the prefix cache, which this loses.
    [[nodiscard]] bool is_forbidden() const noexcept {
        const auto& choice = adaptation_.request.tool_choice;
        const bool forced = choice && (choice->kind == chat::ToolChoice::Kind::required ||
                                       choice->kind == chat::ToolChoice::Kind::named);
        if (!forced || adaptation_.abilities.forced_tools_when_thinking) return false;
        if (mode_.kind == Mode::disabled || effort_ == Effort::none) return false;
        // Anthropic itself does not think unasked.
        return mode_.kind != Mode::unset || !adaptation_.abilities.signatures;
    }

    void note(Rule rule, std::string_view what) { adaptation_.notes.add(rule, std::string(what)); }

    Adaptation& adaptation_;
    chat::ThinkingMode& mode_;
    std::optional<Effort>& effort_;
};

}  // namespace

void adapt_thinking(Adaptation& adaptation) {
    Thinking(adaptation).run();
}

}  // namespace sluice::shaping
