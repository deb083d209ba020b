#pragma once

/// One vector of float32 in its two spellings: a list of numbers, or a string of base64 with the
/// bytes in little-endian order.

#include "json/reader.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::dialect::openai_embeddings {

/// How many numbers stand in a checked value that is a list of numbers or a string of base64;
/// nullopt when it is neither, or without numbers.
[[nodiscard]] std::optional<std::size_t> count_numbers(const json::Value& value);

/// Replaces `numbers` by those of a checked value. False, with `numbers` in any state, when
/// count_numbers() has none of it, or a number is beyond what a float32 can hold.
[[nodiscard]] bool read_numbers(const json::Value& value, std::vector<float>& numbers);

/// Appends a list in which each number is the shortest text that reads back as the same float32.
/// False, with `out` in any state, when one is not finite: JSON cannot tell it.
[[nodiscard]] bool append_numbers(std::string& out, std::span<const float> numbers);

/// Appends a string, quotes included.
void append_base64_string(std::string& out, std::span<const float> numbers);

}  // namespace sluice::dialect::openai_embeddings
