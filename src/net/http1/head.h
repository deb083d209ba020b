#pragma once

/// The heads of requests and responses as the readers hand them out. All views point into the bytes
/// that were fed and live as long as those stay where they are.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::net::http1 {

/// One field line. The value is without the blanks around it.
struct Field {
    std::string_view name;
    std::string_view value;

    friend bool operator==(const Field&, const Field&) = default;
};

struct Head {
    int minor_version = 1;  ///< 0 or 1
    std::span<const Field> fields;
    bool keep_alive = false;  ///< the peer would take another message on this connection
    bool chunked = false;
    std::optional<std::uint64_t> content_length;

    /// The value of the first field of that name, in any case.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
};

struct RequestHead : Head {
    std::string_view method;
    std::string_view target;  ///< as it came
    std::string_view path;    ///< of the target, never empty: "/" where an absolute target has none
    std::string_view query;   ///< without the '?'
    bool expects_continue = false;
};

struct ResponseHead : Head {
    int status = 0;
    bool until_close = false;  ///< the body ends where the connection does
};

/// Every bound of a reader. The defaults are those for requests.
struct Limits {
    std::size_t head_bytes = 32UL * 1024;
    std::size_t line_bytes = 16UL * 1024;   ///< of one field line
    std::size_t target_bytes = 8UL * 1024;  ///< of the request target
    std::size_t fields = 100;
    std::size_t chunk_line_bytes = 256;  ///< a chunk's size and extensions
    std::uint64_t body_bytes = 32UL * 1024 * 1024;

    /// What an upstream may send: bodies of any length, because they are passed on as they come.
    [[nodiscard]] static constexpr Limits for_responses() noexcept {
        Limits limits;
        limits.body_bytes = UINT64_MAX;
        return limits;
    }
};

/// A stretch of the fed bytes that survives their being moved.
struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;

    [[nodiscard]] static Slice of(std::string_view part, std::string_view whole) noexcept {
        if (part.empty()) return {};
        return {.begin = static_cast<std::uint32_t>(part.data() - whole.data()),
                .size = static_cast<std::uint32_t>(part.size())};
    }
    [[nodiscard]] std::string_view in(std::string_view whole) const noexcept {
        return {whole.data() + begin, size};
    }
};

/// The fields seen so far. The memory is kept from message to message.
class FieldTable {
public:
    void clear() noexcept { slices_.clear(); }
    void add(Field field, std::string_view whole);
    [[nodiscard]] std::size_t size() const noexcept { return slices_.size(); }

    /// The fields as views into `whole`; valid until the next call.
    [[nodiscard]] std::span<const Field> in(std::string_view whole);

private:
    struct Slices {
        Slices(Slice name_slice, Slice value_slice) : name(name_slice), value(value_slice) {}
        Slice name;
        Slice value;
    };
    std::vector<Slices> slices_;
    std::vector<Field> fields_;
};

}  // namespace sluice::net::http1
