#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace sluice::config {
namespace {

Entry* find_entry(Node& map, std::string_view key) {
    const auto found = std::ranges::find(map.entries, key, &Entry::key);
    return found == map.entries.end() ? nullptr : &*found;
}

/// Builds the tree from the parser's events. Ends the parse by an exception when the tree is too
/// large, because the parser knows no other way.
class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, std::vector<Problem>& problems)
        : file_(file),
          problems_(problems) {}

    [[nodiscard]] const NodePtr& root() const { return root_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(open(Node::Kind::null, mark, anchor));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end()) {
            throw YAML::ParserException(mark, "an alias stands inside of what it names");
        }
        line_ = mark.line + 1;
        Open alias;
        alias.node = known->second;
        add(std::move(alias));
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(mark, tag);
        Open scalar = open(Node::Kind::scalar, mark, anchor);
        scalar.node->text = value;
        scalar.node->plain = tag.empty() || tag == "?";
        add(std::move(scalar));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        stack_.push_back(open(Node::Kind::list, mark, anchor));
    }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        stack_.push_back(open(Node::Kind::map, mark, anchor));
    }

    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

private:
    struct Open {
        std::shared_ptr<Node> node;
        YAML::anchor_t anchor = YAML::NullAnchor;
        bool has_key = false;  ///< of a map: the next value belongs to this key
        std::string key;
        int key_line = 0;
    };

    Open open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        line_ = mark.line + 1;
        auto node = std::make_shared<Node>();
        node->kind = kind;
        node->place = {.file = file_, .line = line_};
        Open opened;
        opened.node = std::move(node);
        opened.anchor = anchor;
        return opened;
    }

    void close() {
        Open closed = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(closed));
    }

    void add(Open value) {
        if (value.anchor != YAML::NullAnchor) anchors_[value.anchor] = value.node;
        if (stack_.empty()) {
            root_ = std::move(value.node);
            return;
        }
        Open& parent = stack_.back();
        if (parent.node->kind == Node::Kind::map && !parent.has_key) {
            take_key(parent, *value.node);
            return;
        }
        grow(parent, value.node->size);
        if (parent.node->kind == Node::Kind::list) {
            parent.node->items.push_back(std::move(value.node));
        } else {
            add_entry(parent, std::move(value.node));
        }
    }

    void take_key(Open& parent, const Node& key) {
        if (key.kind != Node::Kind::scalar) {
            problems_.push_back(
                {file_, key.place.line, "a key is not text, expected `key: value`"});
        }
        parent.has_key = true;
        parent.key = key.text;
        parent.key_line = line_;
    }

    void add_entry(Open& parent, NodePtr value) {
        parent.has_key = false;
        if (const Entry* before = find_entry(*parent.node, parent.key)) {
            problems_.push_back({file_, parent.key_line,
                                 "`" + parent.key +
                                     "` is there a second time, expected once (see line " +
                                     std::to_string(before->place.line) + ")"});
            return;
        }
        parent.node->entries.push_back({.key = std::move(parent.key),
                                        .place = {.file = file_, .line = parent.key_line},
                                        .value = std::move(value)});
    }

    void grow(Open& parent, std::size_t by) const {
        parent.node->size += by;
        if (parent.node->size > kMaxYamlValues) {
            throw YAML::ParserException(YAML::Mark::null_mark(),
                                        "more than " + std::to_string(kMaxYamlValues) +
                                            " values (aliases counted), expected fewer");
        }
    }

    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        const bool plain = tag.empty() || tag == "?" || tag == "!";
        if (plain || tag.starts_with("tag:yaml.org,2002:")) return;
        problems_.push_back(
            {file_, mark.line + 1, "the tag `" + tag + "` has no meaning here, expected none"});
    }

    const std::string& file_;
    std::vector<Problem>& problems_;
    std::vector<Open> stack_;
    std::unordered_map<YAML::anchor_t, std::shared_ptr<Node>> anchors_;
    NodePtr root_;
    int line_ = 0;
};

NodePtr empty_map(const std::string& file) {
    auto map = std::make_shared<Node>();
    map->kind = Node::Kind::map;
    map->place = {.file = file, .line = 1};
    return map;
}

std::optional<Problem> build(std::string_view text, const std::string& file, TreeBuilder& tree) {
    std::istringstream in{std::string(text)};
    try {
        YAML::Parser parser(in);
        if (!parser.HandleNextDocument(tree)) return std::nullopt;
        std::vector<Problem> ignored;
        TreeBuilder second(file, ignored);
        if (parser.HandleNextDocument(second)) {
            return Problem{.file = file,
                           .line = second.root() ? second.root()->place.line : 0,
                           .message = "a second document begins, expected one"};
        }
        return std::nullopt;
    } catch (const YAML::Exception& e) {
        return Problem{.file = file,
                       .line = e.mark.is_null() ? 0 : e.mark.line + 1,
                       .message = "not YAML: " + e.msg + ", expected a valid document"};
    }
}

}  // namespace

NodePtr parse_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
    TreeBuilder tree(file, problems);
    if (auto problem = build(text, file, tree)) {
        problems.push_back(std::move(*problem));
        return nullptr;
    }
    NodePtr root = tree.root();
    if (!root || root->kind == Node::Kind::null) return empty_map(file);
    if (root->kind != Node::Kind::map) {
        problems.push_back({file, root->place.line, "not a map, expected `key: value` lines"});
        return nullptr;
    }
    return root;
}

bool mentions(const Node& root, std::string_view text) {
    const auto in_item = [&](const NodePtr& item) { return mentions(*item, text); };
    const auto in_entry = [&](const Entry& entry) { return mentions(*entry.value, text); };
    return root.text.contains(text) || std::ranges::any_of(root.items, in_item) ||
           std::ranges::any_of(root.entries, in_entry);
}

NodePtr merge(const NodePtr& base, const NodePtr& over) {
    if (over->kind == Node::Kind::null) return base;
    if (base->kind != Node::Kind::map || over->kind != Node::Kind::map) return over;
    auto merged = std::make_shared<Node>(*base);
    merged->place = over->place;
    for (const Entry& entry : over->entries) {
        if (Entry* known = find_entry(*merged, entry.key)) {
            known->value = merge(known->value, entry.value);
            known->place = entry.place;
        } else {
            merged->entries.push_back(entry);
        }
    }
    return merged;
}

}  // namespace sluice::config
