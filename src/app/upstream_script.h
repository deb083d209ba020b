#pragma once

/// The answers that a script file gives the stand-alone upstream, instead of a model's. The format
/// is in docs/embedded.md.

#include "base/error.h"
#include "upstream/embedded/faults.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

struct ScriptedReply {
    upstream::embedded::WireScript wire;
    std::size_t split = 0;  ///< bytes per write; 0: as many as there are
};

class UpstreamScript {
public:
    using ReadFile = std::function<Result<std::string>(const std::string&)>;

    UpstreamScript() = default;

    /// The names of other files in `text` are passed to `read_file` as they are. The error says
    /// which rule is wrong.
    [[nodiscard]] static Result<UpstreamScript> parse(std::string_view text,
                                                      const ReadFile& read_file);

    /// The reply of the first rule that fits and has not been used up; nullptr when none does.
    [[nodiscard]] const ScriptedReply* answer(std::string_view path, std::string_view model,
                                              std::string_view body);

private:
    struct Rule {
        std::string model;  // globs; empty: any
        std::string path;
        std::string contains;
        std::uint64_t times = UINT64_MAX;
        ScriptedReply reply;
    };

    static Result<Rule> parse_rule(std::string_view text, const ReadFile& read_file);

    std::vector<Rule> rules_;
};

}  // namespace sluice::app
