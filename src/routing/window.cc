#include "routing/window.h"

#include <algorithm>

namespace sluice::routing {
namespace {

constexpr std::chrono::milliseconds kSlice{100};

}  // namespace

void Window::count_request(TimePoint now) {
    advance(now);
    ++slices_[slice_].requests;
    ++total_.requests;
}

void Window::count_extra(TimePoint now) {
    advance(now);
    ++slices_[slice_].extras;
    ++total_.extras;
}

std::size_t Window::requests(TimePoint now) {
    advance(now);
    const std::size_t oldest = (slice_ + 1) % slices_.size();
    return total_.requests - slices_[oldest].requests;
}

std::size_t Window::extras(TimePoint now) {
    advance(now);
    return total_.extras;
}

void Window::advance(TimePoint now) {
    if (now < slice_end_) return;
    const auto passed = static_cast<std::size_t>((now - slice_end_) / kSlice) + 1;
    slice_end_ += passed * kSlice;
    for (std::size_t i = std::min(passed, slices_.size()); i > 0; --i) {
        slice_ = (slice_ + 1) % slices_.size();
        total_.requests -= slices_[slice_].requests;
        total_.extras -= slices_[slice_].extras;
        slices_[slice_] = Slice{};
    }
}

}  // namespace sluice::routing
