#include "observe/memory.h"

#include <cstdio>
#include <malloc.h>
#include <memory>
#include <unistd.h>

namespace sluice::observe {

std::size_t resident_bytes() noexcept {
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> statm(std::fopen("/proc/self/statm", "re"));
    unsigned long size = 0;
    unsigned long resident = 0;
    if (!statm || std::fscanf(statm.get(), "%lu %lu", &size, &resident) != 2) return 0;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void release_free_memory() noexcept {
    malloc_trim(0);
}

}  // namespace sluice::observe
