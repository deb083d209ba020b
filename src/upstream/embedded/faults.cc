#include "upstream/embedded/faults.h"

#include "upstream/embedded/wire.h"

#include <algorithm>
#include <vector>

namespace sluice::upstream::embedded {

std::span<const Fault> faults() {
    static const std::vector<Fault> together = [] {
        std::vector<Fault> all;
        for (const auto some : {head_faults(), body_faults(), content_faults()}) {
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }();
    return together;
}

const Fault* find_fault(std::string_view name) {
    const auto all = faults();
    const auto found = std::ranges::find(all, name, &Fault::name);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace sluice::upstream::embedded
