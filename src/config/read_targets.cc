#include "config/sections.h"

#include <algorithm>
#include <utility>

namespace sluice::config {
namespace {

constexpr std::size_t kHeaviest = 10'000;

Result<Target> parse_target(std::string_view text) {
    const auto slash = text.find('/');
    Target target;
    if (slash != std::string_view::npos) {
        target.upstream = text.substr(0, slash);
        target.model = text.substr(slash + 1);
    }
    const bool star = target.model.contains('*') && target.model != "*";
    const bool blank = text.find_first_of(" \t\r\n") != std::string_view::npos;
    if (!target.upstream.empty() && !target.model.empty() && !star && !blank) return target;
    return fail(Errc::bad_request,
                "UPSTREAM/MODEL such as deepseek/deepseek-flash, or UPSTREAM/* "
                "for the model as asked");
}

/// A header's value and a metric's label.
Result<std::string> parse_variant(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    const bool visible = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    if (!text.empty() && text.size() <= kLongest && visible) return std::string(text);
    return fail(Errc::bad_request, "up to 64 visible ASCII characters");
}

/// What makes a well-formed target unreachable; empty if nothing does.
std::string check_target(const Target& target, const Upstreams& upstreams) {
    const auto upstream = upstreams.find(target.upstream);
    if (upstream == upstreams.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, unused] : upstreams) names.emplace_back(name);
        return "there is no upstream `" + target.upstream + "`" +
               did_you_mean(target.upstream, names);
    }
    const bool embedded = upstream->second.kind == UpstreamKind::embedded;
    if (embedded && target.model.starts_with("fault-") && !upstream->second.embedded.faults) {
        return "`" + target.model +
               "` breaks replies on purpose, expected `embedded.faults: true` in `" +
               target.upstream + "` if that is meant";
    }
    return {};
}

/// Reads the targets of one route, tier by tier.
class TargetReader {
public:
    TargetReader(const Reader& reader, const std::string& path, const Upstreams& upstreams)
        : reader_(reader),
          path_(path),
          upstreams_(upstreams) {}

    /// `equals`: a list without groups is one tier.
    std::vector<Target> read(const NodePtr& node, bool equals) {
        const auto items =
            node->kind == Node::Kind::map ? std::vector{node} : reader_.items(node, path_);
        if (items.empty()) report_empty(*node);
        const bool groups = std::ranges::any_of(
            items, [](const NodePtr& item) { return item->kind == Node::Kind::list; });
        for (std::size_t tier = 0; const NodePtr& item : items) {
            if (item->kind == Node::Kind::list) {
                if (item->items.empty()) report_empty(*item);
                for (const NodePtr& target : item->items) add(target, tier);
            } else {
                add(item, tier);
            }
            if (groups || !equals) ++tier;
        }
        check_weights(*node);
        return std::move(targets_);
    }

private:
    void report_empty(const Node& node) const {
        reader_.report(node.place, "`" + path_ + "` is an empty list, expected UPSTREAM/MODEL");
    }

    void add(const NodePtr& node, std::size_t tier) {
        Target options;
        NodePtr place = node;
        if (node->kind == Node::Kind::map) {
            const Section section(reader_, node, kTargetSchema, path_ + "[]");
            section.read_integer("weight", options.weight, 0, kHeaviest);
            section.read("variant", options.variant, parse_variant);
            place = section.find("to");
            if (!place) {
                reader_.report(node->place,
                               "`" + section.path("to") + "` is missing, expected UPSTREAM/MODEL");
                return;
            }
        }
        const auto text = reader_.text(*place, path_);
        if (!text) return;
        auto target = parse_target(*text);
        if (!target) {
            reader_.report(place->place,
                           wrong_value(path_, place->text, target.error().message, Quote::yes));
            return;
        }
        if (const std::string wrong = check_target(*target, upstreams_); !wrong.empty()) {
            reader_.report(place->place,
                           std::string("`").append(path_).append("`: ").append(wrong));
        }
        target->tier = tier;
        target->weight = options.weight;
        target->variant = std::move(options.variant);
        targets_.push_back(*std::move(target));
    }

    /// A tier of which nobody may be asked would only be asked when all others failed: a mistake.
    void check_weights(const Node& node) const {
        for (const Target& target : targets_) {
            const bool weighty = std::ranges::any_of(targets_, [&](const Target& other) {
                return other.tier == target.tier && other.weight > 0;
            });
            if (weighty) continue;
            reader_.report(node.place, "`" + path_ +
                                           "` has only targets of weight 0 among equals, expected "
                                           "one with more");
            return;
        }
    }

    const Reader& reader_;
    const std::string& path_;
    const Upstreams& upstreams_;
    std::vector<Target> targets_;
};

}  // namespace

std::vector<Target> read_targets(const Reader& reader, const NodePtr& node, const std::string& path,
                                 const Upstreams& upstreams, bool equals) {
    if (!node) return {};
    return TargetReader(reader, path, upstreams).read(node, equals);
}

}  // namespace sluice::config
