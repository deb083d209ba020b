#pragma once

/// What Ollama's clients ask before they chat: which models there are, and what each can do. All
/// shapes have every field that those clients read; what is not known of a model is 0 or empty.

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::dialect::ollama {

/// The version of the API that is spoken, for clients that ask for a least one.
inline constexpr std::string_view kVersion = "0.12.0";

/// The body of `GET /` and `HEAD /`, by which clients see that a server is there.
inline constexpr std::string_view kRunning = "Ollama is running";

struct Model {
    std::string name;
    std::string family;          ///< general.architecture: llama, qwen3, deepseek
    std::string parameter_size;  ///< "8B"
    std::string quantization;    ///< "Q4_K_M"
    std::string digest;
    std::uint64_t size = 0;            ///< bytes
    std::uint64_t context_length = 0;  ///< tokens
    std::chrono::sys_seconds modified_at{};
    std::vector<std::string>
        capabilities;  ///< completion, tools, thinking, vision, insert, embedding
};

/// GET /api/tags
[[nodiscard]] std::string write_tags(std::span<const Model> models);

/// GET /api/ps: the models in memory, which stay there until `expires_at`.
[[nodiscard]] std::string write_running(std::span<const Model> models,
                                        std::chrono::sys_seconds expires_at);

/// GET /api/version
[[nodiscard]] std::string write_version(std::string_view version = kVersion);

/// POST /api/show: the name that is asked for, by "model" or by the older "name".
Result<std::string> read_show(std::string_view body);
[[nodiscard]] std::string write_show(const Model& model);

/// A name without the tag that Ollama's clients add where there is none: "m" of "m:latest".
[[nodiscard]] std::string_view without_latest(std::string_view name) noexcept;

/// Ollama's envelope: {"error":"..."}.
[[nodiscard]] std::string write_error(const Error& error);

}  // namespace sluice::dialect::ollama
