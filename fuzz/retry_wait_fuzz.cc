/// Properties: whatever an upstream writes into its header lines, the wait is either unknown or not
/// negative, lines that say nothing of it do not change it, and it is the same without the last
/// line's end.

#include "routing/backoff.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace std::chrono_literals;
    const std::string fields(reinterpret_cast<const char*>(data), size);
    const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 7) + 12h;

    const auto wait = sluice::routing::read_retry_wait(fields, now);

    check(!wait || *wait >= 0ms);
    check(sluice::routing::read_retry_wait("date: 1\r\n" + fields, now) == wait);
    check(fields.ends_with('\r') || sluice::routing::read_retry_wait(fields + "\r\n", now) == wait);
    // A moment is nearer when it is later; a span stays what it is.
    const auto later = sluice::routing::read_retry_wait(fields, now + 1s);
    check(later.has_value() == wait.has_value());
    check(!wait || (*later <= *wait && *later + 1s >= *wait));
    return 0;
}
