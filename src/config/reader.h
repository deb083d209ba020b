#pragma once

/// Reading a map of the file into a struct, value by value: what is absent leaves the struct's
/// default alone, what is wrong is reported with its line and the reading goes on.

#include "base/error.h"
#include "config/load.h"
#include "config/schema.h"
#include "config/units.h"
#include "config/variables.h"
#include "config/yaml.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::config {

/// Collects the problems and knows the environment for `${NAME}`. Outlives every Section.
class Reader {
public:
    Reader(const Variables& variables, std::vector<Problem>& problems)
        : variables_(variables),
          problems_(problems) {}

    void report(const Place& place, std::string message) const {
        problems_.push_back({place.file, place.line, std::move(message)});
    }

    /// The text of a scalar with `${NAME}`, `${NAME:-default}` and `$$` replaced; nullopt, after a
    /// report that calls it `what`, where there is none.
    [[nodiscard]] std::optional<std::string> text(const Node& node, std::string_view what) const;

    /// A list's items; a scalar counts as a list of itself. Anything else is reported.
    [[nodiscard]] std::vector<NodePtr> items(const NodePtr& node, std::string_view what) const;

    /// A map whose keys the file chooses. Anything else is reported.
    [[nodiscard]] std::span<const Entry> entries(const NodePtr& node, std::string_view what) const;

    /// For what is parsed on the way, such as presets.
    [[nodiscard]] std::vector<Problem>& problems() const { return problems_; }

private:
    const Variables& variables_;
    std::vector<Problem>& problems_;
};

/// Whether an error may quote the value that is wrong.
enum class Quote : bool { no, yes };

/// "`PATH` is `VALUE`, expected EXPECTED", or without the value where it must not be quoted.
[[nodiscard]] std::string wrong_value(std::string_view path, std::string_view value,
                                      std::string_view expected, Quote quote);

/// One map of the file. Construction reports what does not belong into it.
class Section {
public:
    /// `node` may be null: then nothing is there. Errors call it by `path`.
    Section(const Reader& reader, NodePtr node, const Schema& schema, std::string path);
    Section(const Reader& reader, NodePtr node, const Schema& schema)
        : Section(reader, std::move(node), schema, std::string(schema.path)) {}

    /// The value of a key; null where it is absent or null in the file.
    [[nodiscard]] NodePtr find(std::string_view key) const;

    /// Where a key stands; where the map stands if it does not.
    [[nodiscard]] Place place(std::string_view key) const;

    /// How errors call a key: `timeouts.connect`.
    [[nodiscard]] std::string path(std::string_view key) const;

    void report(std::string_view key, std::string message) const {
        reader_.report(place(key), std::move(message));
    }

    /// Sets `out` if the key is there and `parse` (text to Result of a value) takes it.
    template <class T, class Parse>
    void read(std::string_view key, T& out, Parse parse, Quote quote = Quote::yes) const {
        const auto text = read_text(key);
        if (!text) return;
        auto value = parse(std::string_view(*text));
        if (value) {
            out = std::move(*value);
        } else {
            report_value(key, value.error().message, quote);
        }
    }

    /// Replaces `out` by the items of a list, or by a single value, each as `parse` takes it. What
    /// it does not take is left out.
    template <class T, class Parse>
    void read_list(std::string_view key, std::vector<T>& out, Parse parse) const {
        const NodePtr node = find(key);
        if (!node) return;
        out.clear();
        for (const NodePtr& item : reader_.items(node, path(key))) {
            if (auto value = read_item(*item, key, parse)) out.push_back(*std::move(value));
        }
    }

    /// A text that is not empty and has no control characters.
    void read(std::string_view key, std::string& out) const;
    void read(std::string_view key, bool& out) const;
    /// Without quoting it; it must be visible ASCII, or it could not stand in a header.
    void read(std::string_view key, Secret& out) const;
    void read_size(std::string_view key, std::size_t& out, std::size_t lowest,
                   std::size_t highest) const;
    void read_integer(std::string_view key, std::size_t& out, std::size_t lowest,
                      std::size_t highest) const;
    void read_duration(std::string_view key, Milliseconds& out,
                       Milliseconds shortest = Milliseconds(1)) const;

private:
    [[nodiscard]] std::optional<std::string> read_text(std::string_view key) const;
    void report_value(std::string_view key, std::string_view expected, Quote quote) const;

    template <class Parse>
    [[nodiscard]] auto read_item(const Node& item, std::string_view key, Parse parse) const
        -> std::optional<typename decltype(parse(std::string_view()))::value_type> {
        const auto text = reader_.text(item, path(key));
        if (!text) return std::nullopt;
        auto value = parse(std::string_view(*text));
        if (value) return *std::move(value);
        reader_.report(item.place,
                       wrong_value(path(key), item.text, value.error().message, Quote::yes));
        return std::nullopt;
    }

    const Reader& reader_;
    NodePtr node_;
    std::string path_;
};

/// The end of a message about an unknown word: ", expected" and the nearest candidate, or all.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// A text that is not empty and has no control characters.
[[nodiscard]] Result<std::string> parse_text(std::string_view text);

/// Whether a secret can be sent in a header; the error's message is what was expected.
[[nodiscard]] Result<Secret> parse_secret(std::string_view text);

}  // namespace sluice::config
