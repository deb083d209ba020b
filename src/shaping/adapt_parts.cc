#include "shaping/adapt_media.h"
#include "shaping/adapt_steps.h"

namespace sluice::shaping {
namespace {

/// What becomes of a part; `fold` to text.
enum class Fate : std::uint8_t { keep, drop, fold };

/// Judges the parts of one message, and those of the results in it.
class Parts {
public:
    Parts(Adaptation& adaptation, std::size_t message) noexcept
        : adaptation_(adaptation),
          abilities_(adaptation.abilities),
          message_(message),
          role_(adaptation.request.messages[message].role) {}

    void run() {
        filter(adaptation_.request.messages[message_].parts, [this](chat::Part& part, auto i) {
            part_ = i;
            return keep(part);
        });
    }

    Fate operator()(chat::Text& text) {
        // OpenAI's take white space, and may have given it themselves.
        const bool useless = adaptation_.to_anthropic() ? is_blank(text.text) : text.text.empty();
        return useless ? drop("drop.empty_text") : Fate::keep;
    }

    Fate operator()(chat::Media& media) {
        switch (media.kind) {
            case chat::Media::Kind::image: return judge_image(media);
            case chat::Media::Kind::document: return judge_document(media);
        }
        return Fate::keep;
    }

    Fate operator()(chat::Thinking& thinking) {
        switch (abilities_.reasoning_history) {
            case chat::ReasoningHistory::drop: return drop("drop.reasoning");
            case chat::ReasoningHistory::reasoning_content:
            case chat::ReasoningHistory::reasoning:
                return thinking.text.empty() ? drop("drop.reasoning") : Fate::keep;
            case chat::ReasoningHistory::blocks: break;
        }
        const bool foreign =
            thinking.signature.empty() || thinking.signature.starts_with(kSignaturePrefix);
        return abilities_.signatures && foreign ? drop("drop.unsigned_thinking") : Fate::keep;
    }

    Fate operator()(chat::RedactedThinking& /*data*/) {
        const bool readable =
            abilities_.signatures && abilities_.reasoning_history == chat::ReasoningHistory::blocks;
        return readable ? Fate::keep : drop("drop.redacted_thinking");
    }

    Fate operator()(chat::ToolUse& call) {
        if (call.is_custom && !abilities_.custom_tools) {
            call.arguments = input_arguments(call.arguments);
            call.is_custom = false;
        }
        return Fate::keep;
    }

    Fate operator()(chat::ToolResult& result) {
        filter(result.content, [this](chat::Part& part, std::size_t /*i*/) { return keep(part); });
        return Fate::keep;
    }

    Fate operator()(chat::ToolReference& reference) {
        // OpenAI's writer says the same in results; elsewhere it knows of no references.
        const bool written =
            adaptation_.to_anthropic() ? abilities_.deferred_tools : role_ == chat::Role::user;
        return written ? Fate::keep : fold("fold.tool_reference", loaded_text(reference.name));
    }

    Fate operator()(chat::Native& native) {
        if (keeps_native(native)) return Fate::keep;
        auto text = native_text(native);
        return text ? fold("fold.native", std::move(*text)) : drop("drop.native");
    }

private:
    bool keep(chat::Part& part) {
        switch (std::visit(*this, part.value)) {
            case Fate::keep: return true;
            case Fate::drop: return false;
            case Fate::fold: break;
        }
        part.value = chat::Text{std::move(folded_)};
        return true;
    }

    Fate judge_image(const chat::Media& image) {
        std::string_view why;
        if (!abilities_.images) {
            why = "the model cannot see images";
        } else if (lies_elsewhere(image)) {
            why = "it lies with another provider";
        } else if (!adaptation_.to_anthropic() && role_ != chat::Role::user) {
            why = "only the user may show one";
        }
        return why.empty() ? Fate::keep : fold("drop.image", omitted_text(image, why));
    }

    Fate judge_document(const chat::Media& document) {
        const bool natively = adaptation_.to_anthropic() && abilities_.documents;
        std::string_view why;
        if (document.source == chat::Media::Source::text) {
            return natively ? Fate::keep : fold("fold.document", document_text(document));
        }
        if (!abilities_.documents) {
            why = "the model cannot read it";
        } else if (lies_elsewhere(document)) {
            why = "it lies with another provider";
        } else if (!natively && document.source == chat::Media::Source::url) {
            why = "the model cannot fetch it";
        } else if (!natively && role_ != chat::Role::user) {
            why = "only the user may show one";
        }
        return why.empty() ? Fate::keep : fold("drop.document", omitted_text(document, why));
    }

    [[nodiscard]] bool lies_elsewhere(const chat::Media& media) const noexcept {
        return media.source == chat::Media::Source::file && !adaptation_.same_family();
    }

    [[nodiscard]] bool keeps_native(const chat::Native& native) const {
        if (!adaptation_.same_family()) return false;
        if (!adaptation_.to_anthropic()) return true;
        if (changed_tool(native)) return abilities_.deferred_tools;
        if (native.type == "search_result") return abilities_.documents;
        return abilities_.server_tools;
    }

    Fate drop(Rule rule) {
        adaptation_.notes.add(rule, place(message_, part_));
        return Fate::drop;
    }

    Fate fold(Rule rule, std::string text) {
        adaptation_.notes.add(rule, place(message_, part_));
        folded_ = std::move(text);
        return Fate::fold;
    }

    Adaptation& adaptation_;
    const chat::Abilities& abilities_;
    std::size_t message_;
    chat::Role role_;
    std::size_t part_ = 0;
    std::string folded_;
};

std::size_t drop_marks(std::vector<chat::Part>& parts) {
    std::size_t dropped = 0;
    for (chat::Part& part : parts) {
        if (!std::exchange(part.cache_control, {}).empty()) ++dropped;
        if (auto* const result = part.as<chat::ToolResult>())
            dropped += drop_marks(result->content);
    }
    return dropped;
}

void drop_empty_system(Adaptation& adaptation) {
    filter(adaptation.request.system, [&](const chat::Part& part, std::size_t i) {
        const auto* const text = part.as<chat::Text>();
        const bool empty = text != nullptr &&
                           (adaptation.to_anthropic() ? is_blank(text->text) : text->text.empty());
        if (empty) adaptation.notes.add("drop.empty_text", place("system", i));
        return !empty;
    });
}

}  // namespace

void adapt_parts(Adaptation& adaptation) {
    drop_empty_system(adaptation);
    for (std::size_t i = 0; i < adaptation.request.messages.size(); ++i) {
        Parts(adaptation, i).run();
    }
}

void drop_empty_messages(Adaptation& adaptation) {
    // Of reasoning alone only Anthropic makes a message.
    const bool reasoning_counts =
        adaptation.abilities.reasoning_history == chat::ReasoningHistory::blocks;
    filter(adaptation.request.messages, [&](const chat::Message& message, std::size_t i) {
        const bool said = std::ranges::any_of(message.parts, [&](const chat::Part& part) {
            return reasoning_counts || part.as<chat::Thinking>() == nullptr;
        });
        if (!said) adaptation.notes.add("drop.empty_message", place("messages", i));
        return said;
    });
}

void add_missing_thinking(Adaptation& adaptation) {
    const chat::Abilities& abilities = adaptation.abilities;
    const bool wanted = abilities.reasoning_required && !adaptation.request.tools.empty() &&
                        abilities.reasoning_history == chat::ReasoningHistory::blocks;
    if (!wanted) return;
    std::vector<chat::Message>& messages = adaptation.request.messages;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role != chat::Role::assistant) continue;
        std::vector<chat::Part>& parts = messages[i].parts;
        const bool has_some = std::ranges::any_of(
            parts, [](const chat::Part& part) { return part.as<chat::Thinking>() != nullptr; });
        if (has_some) continue;
        parts.insert(parts.begin(), chat::Thinking());
        adaptation.notes.add("add.thinking", place("messages", i));
    }
}

void drop_cache_marks(Adaptation& adaptation) {
    if (adaptation.to_anthropic()) return;
    std::size_t dropped = drop_marks(adaptation.request.system);
    for (chat::Message& message : adaptation.request.messages) dropped += drop_marks(message.parts);
    for (chat::Tool& tool : adaptation.request.tools) {
        if (!std::exchange(tool.cache_control, {}).empty()) ++dropped;
    }
    if (dropped > 0) {
        adaptation.notes.add("drop.cache_control",
                             std::to_string(dropped) + (dropped == 1 ? " mark" : " marks"));
    }
}

}  // namespace sluice::shaping
