#pragma once

/// One text of the reasoning store with the keys that lead to it. For the store's own sources.

#include "store/reasoning.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::store {

struct ReasoningStore::Entry {
    Entry(std::int64_t row, std::int64_t time, std::vector<Key> leading_here, std::string content)
        : id(row),
          keys(std::move(leading_here)),
          text(std::move(content)),
          used(time),
          stored_use(time),
          keys_left(keys.size()) {}

    /// What it keeps in memory, with the nodes and buckets of its keys.
    [[nodiscard]] static std::size_t bytes_of(std::size_t keys, std::size_t text) noexcept {
        constexpr std::size_t kPerEntry = sizeof(Entry) + 96;
        constexpr std::size_t kPerKey = 2 * sizeof(Key) + 64;
        return kPerEntry + keys * kPerKey + text;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_of(keys.size(), text.size()); }

    const std::int64_t id;  // of its row; a later text has a greater one
    const std::vector<Key> keys;
    const std::string text;
    std::atomic<std::int64_t> used;        // milliseconds since 1970
    std::atomic<std::int64_t> stored_use;  // as far as the file knows
    std::atomic<std::size_t> keys_left;    // that have not been given to a later text
    std::atomic<bool> is_linked = false;   // written by the home's mutex
    std::list<EntryPtr>::iterator place;   // by the home's mutex, while linked
};

}  // namespace sluice::store
