#pragma once

/// Command lines of the benchmark programs: `--name value` pairs, nothing else.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sluice::bench {

class Arguments {
public:
    /// Ends the program with a message when an argument is not one of a `--name value` pair.
    Arguments(int count, const char* const* values);

    [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const;
    /// Ends the program with a message when the value is not a number.
    [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t otherwise) const;

private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// Prints the message to standard error and ends the program with code 2.
[[noreturn]] void fail(std::string_view message);

}  // namespace sluice::bench
