#include "net/transaction.h"

#include <span>

namespace sluice::net {

void append_field(std::string& fields, std::string_view name, std::string_view value) {
    fields += name;
    fields += ": ";
    const std::size_t begin = fields.size();
    fields += value;
    for (char& c : std::span(fields).subspan(begin)) {
        const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        c = control ? ' ' : c;
    }
    fields += "\r\n";
}

}  // namespace sluice::net
