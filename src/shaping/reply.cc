#include "shaping/reply.h"

#include "base/text.h"
#include "json/members.h"
#include "json/splice.h"
#include "json/writer.h"
#include "shaping/object_edit.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace sluice::shaping {
namespace {

constexpr std::string_view kWhole = "message";
constexpr std::string_view kStreamed = "delta";
constexpr std::string_view kLists = "[]";

}  // namespace

/// One document on its way through the rules.
class ReplyWalk {
public:
    ReplyWalk(const ReplyRewriter& rewriter, std::string_view json)
        : rewriter_(rewriter),
          document_(json),
          splice_(json) {}

    [[nodiscard]] const json::Splice& run() {
        std::vector<Place> places;
        places.reserve(rewriter_.edits_.size());
        for (const auto& edit : rewriter_.edits_) places.push_back({.edit = &edit});
        visit(as_span(json::as_value(document_)), places);
        return splice_;
    }

private:
    using Action = ReplyRewriter::Action;

    /// How far into its path an edit has come.
    struct Place {
        const ReplyRewriter::Edit* edit = nullptr;
        std::size_t step = 0;
        unsigned lists = 0;  ///< that are yet to be entered before the step

        [[nodiscard]] std::string_view name() const { return edit->path[step].name; }
        [[nodiscard]] bool is_last() const { return step + 1 == edit->path.size(); }
    };
    using Places = std::span<const Place>;

    [[nodiscard]] json::Span as_span(const json::Value& value) const {
        return {.offset = static_cast<std::size_t>(value.raw.data() - document_.data()),
                .length = value.raw.size()};
    }

    void visit(json::Span span, Places places) {
        const json::Value value = json::as_value(span.in(document_));
        if (value.is(json::Kind::object)) {
            visit_object(span, places);
        } else if (value.is(json::Kind::array)) {
            visit_list(span, value, places);
        }
    }

    void visit_list(json::Span span, const json::Value& list, Places places) {
        std::vector<Place> inner;
        for (Place place : places) {
            if (place.lists == 0) continue;
            --place.lists;
            inner.push_back(place);
        }
        if (inner.empty()) return;
        json::Reader reader(list);
        while (reader.next()) {
            json::Span element = reader.span();
            element.offset += span.offset;
            visit(element, inner);
        }
    }

    void visit_object(json::Span span, Places places) {
        std::vector<json::Member> members;
        json::read_members(document_, span, members);
        ObjectEdit edit(document_, span.offset + 1, members);
        for (const Place& place : places) {
            if (place.lists == 0 && place.is_last()) apply(place, edit);
        }
        edit.apply(splice_);
        std::vector<Place> inner;
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (!edit.keeps_value(i)) continue;
            inner.clear();
            for (const Place& place : places) {
                if (place.lists != 0 || place.is_last() || !leads_to(place, members[i])) continue;
                inner.push_back({.edit = place.edit,
                                 .step = place.step + 1,
                                 .lists = place.edit->path[place.step].lists});
            }
            if (!inner.empty()) visit(members[i].value, inner);
        }
    }

    [[nodiscard]] bool leads_to(const Place& place, const json::Member& member) const {
        if (json::is_named(member, document_, place.name())) return true;
        return place.name() == kWhole && json::is_named(member, document_, kStreamed);
    }

    void apply(const Place& place, ObjectEdit& edit) const {
        if (place.name() == kWhole && edit.has(kStreamed)) {
            apply(*place.edit, kStreamed, edit);
            if (!edit.has(kWhole)) return;
        }
        apply(*place.edit, place.name(), edit);
    }

    void apply(const ReplyRewriter::Edit& what, std::string_view name, ObjectEdit& edit) const {
        switch (what.action) {
            case Action::drop: edit.drop(name); break;
            case Action::rename: edit.rename(name, what.text); break;
            case Action::set_model:
                if (edit.has(name)) edit.set(name, rewriter_.requested_model_);
                break;
            case Action::set: edit.set(name, what.text); break;
        }
    }

    const ReplyRewriter& rewriter_;
    std::string_view document_;
    json::Splice splice_;
};

namespace {

/// Whether a header line is that of a field by this name.
bool is_field(std::string_view line, std::string_view name) {
    return iequals(line.substr(0, line.find(':')), name);
}

}  // namespace

ReplyRewriter::ReplyRewriter(const config::ReplyRules& rules, std::string_view requested_model)
    : rules_(rules) {
    if (!rules.changes_body()) return;
    for (const std::string& path : rules.drop) add(Action::drop, path, {});
    for (const config::Renaming& rename : rules.rename) {
        add(Action::rename, rename.from, rename.to);
    }
    if (rules.model == config::ReplyRules::Model::as_requested) {
        json::append_string(requested_model_, requested_model);
        add(Action::set_model, "model", {});
    }
    for (const config::Assignment& set : rules.set) add(Action::set, set.field, set.json);
}

/// A path that names no field, `a[]` or `a..b`, has no effect.
void ReplyRewriter::add(Action action, std::string_view path, std::string_view text) {
    Edit edit{.action = action, .path = {}, .text = text};
    for (;;) {
        const std::size_t dot = path.find('.');
        Step step{.name = path.substr(0, dot)};
        while (step.name.ends_with(kLists)) {
            step.name.remove_suffix(kLists.size());
            ++step.lists;
        }
        if (step.name.empty()) return;
        edit.path.push_back(step);
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    if (edit.path.back().lists == 0) edits_.push_back(std::move(edit));
}

bool ReplyRewriter::rewrite(std::string_view json, std::string& out) const {
    if (!active()) return false;
    ReplyWalk walk(*this, json);
    const json::Splice& splice = walk.run();
    if (splice.unchanged()) return false;
    std::string text;
    splice.append_to(text);
    out = std::move(text);
    return true;
}

std::string ReplyRewriter::rewrite_fields(std::string_view fields) const {
    std::string out;
    while (!fields.empty()) {
        const std::size_t end = fields.find('\n');
        const std::string_view line =
            end == std::string_view::npos ? fields : fields.substr(0, end + 1);
        fields.remove_prefix(line.size());
        const auto dropped = [&](const std::string& name) { return is_field(line, name); };
        const auto replaced = [&](const auto& header) { return is_field(line, header.first); };
        if (std::ranges::any_of(rules_.drop_headers, dropped)) continue;
        if (std::ranges::any_of(rules_.set_headers, replaced)) continue;
        out += line;
    }
    for (const auto& [name, value] : rules_.set_headers) {
        out.append(name).append(": ").append(value).append("\r\n");
    }
    return out;
}

}  // namespace sluice::shaping
