#pragma once

/// A YAML document as a plain tree in which every value knows where it stood. Values are text: what
/// a text means is for the reader of a section to say.

#include "config/load.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Where something was written. The line counts from 1; 0 where lines mean nothing.
struct Place {
    std::string file;
    int line = 0;
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
    std::string key;
    Place place;  ///< of the key
    NodePtr value;
};

struct Node {
    enum class Kind : std::uint8_t { null, scalar, list, map };

    Kind kind = Kind::null;
    Place place;
    std::string text;            ///< of a scalar
    bool plain = false;          ///< of a scalar: written without quotes and without a tag
    std::vector<NodePtr> items;  ///< of a list
    std::vector<Entry> entries;  ///< of a map, in the order of the file, no key twice
    std::size_t size = 1;        ///< values in this tree, with aliases counted as often as used
};

/// Refused beyond this: aliases can make a short file stand for a very long one.
inline constexpr std::size_t kMaxYamlValues = 100'000;

/// The root of the one document in `text`; an empty map for an empty text. Appends what is wrong
/// and then returns what could be read all the same (duplicate keys, tags); null where that is
/// nothing (syntax, too large, not a map).
[[nodiscard]] NodePtr parse_yaml(std::string_view text, const std::string& file,
                                 std::vector<Problem>& problems);

/// Whether any value in the tree has `text` in it.
[[nodiscard]] bool mentions(const Node& root, std::string_view text);

/// `over` laid on `base`: maps are joined key by key, anything else of `over` replaces what `base`
/// has. A null changes nothing.
[[nodiscard]] NodePtr merge(const NodePtr& base, const NodePtr& over);

}  // namespace sluice::config
