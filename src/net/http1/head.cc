#include "net/http1/head.h"

#include "base/text.h"

#include <algorithm>

namespace sluice::net::http1 {

std::optional<std::string_view> Head::find(std::string_view name) const noexcept {
    for (const Field& field : fields) {
        if (field.name.size() == name.size() && iequals(field.name, name)) return field.value;
    }
    return std::nullopt;
}

std::size_t Head::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields, [name](const Field& field) { return iequals(field.name, name); }));
}

void FieldTable::add(Field field, std::string_view whole) {
    constexpr std::size_t kUsualFields = 16;
    if (slices_.capacity() == 0) slices_.reserve(kUsualFields);
    slices_.emplace_back(Slice::of(field.name, whole), Slice::of(field.value, whole));
}

std::span<const Field> FieldTable::in(std::string_view whole) {
    fields_.resize(slices_.size());
    for (std::size_t i = 0; i < slices_.size(); ++i) {
        fields_[i].name = slices_[i].name.in(whole);
        fields_[i].value = slices_[i].value.in(whole);
    }
    return fields_;
}

}  // namespace sluice::net::http1
