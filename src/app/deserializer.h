#pragma once

/// Reading members of a document as a strict deserializer does, which names the place of the first
/// thing that it did not expect.

#include "app/deepseek_request.h"
#include "json/reader.h"

#include <string>
#include <string_view>

namespace sluice::app {

class Deserializer {
public:
    template <class T>
    using Read = std::expected<T, DeepSeekViolation>;

    /// `body` must have been checked, and outlive this.
    explicit Deserializer(std::string_view body) : body_(body) {}

    /// `path: reason at line L column C`, where the value ends.
    [[nodiscard]] std::unexpected<DeepSeekViolation> fail(const std::string& path,
                                                          const std::string& reason,
                                                          const json::Value& value) const;
    [[nodiscard]] std::unexpected<DeepSeekViolation> missing(const std::string& path,
                                                             const std::string& field,
                                                             const json::Value& object) const;
    [[nodiscard]] std::unexpected<DeepSeekViolation> wrong_type(const std::string& path,
                                                                const std::string& expected,
                                                                const json::Value& value) const;

    /// A member that must be a string.
    [[nodiscard]] Read<std::string> string(const json::Value& object, const std::string& path,
                                           std::string_view name) const;
    /// One of the words; nothing where the member is absent or null.
    [[nodiscard]] Read<std::string> word(const json::Value& object, const std::string& path,
                                         std::string_view name,
                                         std::initializer_list<std::string_view> words) const;

private:
    std::string_view body_;
};

/// `outer.inner`, or `inner` at the top.
[[nodiscard]] std::string member_path(const std::string& outer, std::string_view inner);

/// `messages[3]`
[[nodiscard]] std::string element_path(const std::string& list, std::size_t index);

/// Null counts as absent.
[[nodiscard]] std::optional<json::Value> find_value(const json::Value& object,
                                                    std::string_view name);

/// Without white space and with strings in one spelling; members keep their order and numbers
/// their spelling.
void append_canonical(std::string& out, const json::Value& value);

/// The list `messages`.
[[nodiscard]] Deserializer::Read<std::vector<DeepSeekMessage>> read_deepseek_messages(
    const Deserializer& read, const json::Value& list);

}  // namespace sluice::app
