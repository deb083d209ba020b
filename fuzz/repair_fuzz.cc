/// Properties: what is repaired is a JSON object, and needs no more repair; an object is left as it
/// is.

#include "dialect/repair.h"
#include "json/reader.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const bool is_object = !sluice::json::find_error(text) &&
                           sluice::json::as_value(text).is(sluice::json::Kind::object);
    const auto repaired = sluice::dialect::repair_arguments(text);
    if (is_object) check(repaired == text);
    if (!repaired) return 0;
    check(!sluice::json::find_error(*repaired));
    check(sluice::json::as_value(*repaired).is(sluice::json::Kind::object));
    check(sluice::dialect::repair_arguments(*repaired) == *repaired);
    return 0;
}
