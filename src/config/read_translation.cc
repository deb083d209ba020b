#include "config/sections.h"
#include "config/upstream_sections.h"

namespace sluice::config {
namespace {

constexpr std::size_t kMostReasoning = 1024 * kMebibyte;

}  // namespace

void read_translation(const Reader& reader, const Section& top, Config& config) {
    top.read("default_model", config.default_model);
    ReasoningStore& reasoning = config.reasoning_store;
    const Section store = open_switched(reader, top, "reasoning_store", kReasoningStoreSchema,
                                        reasoning.enabled, false);
    store.read_size("max_bytes", reasoning.max_bytes, kMebibyte, kMostReasoning);
    store.read_duration("max_age", reasoning.max_age);
    const Section debug(reader, top.find("debug"), kDebugSchema);
    debug.read("changes", config.debug.changes);
}

}  // namespace sluice::config
