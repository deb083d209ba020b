#include "net/transaction.h"

namespace sluice::net {

void append_field(std::string& fields, std::string_view name, std::string_view value) {
    fields += name;
    fields += ": ";
    for (const char c : value) {
        const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
        fields += control ? ' ' : c;
    }
    fields += "\r\n";
}

}  // namespace sluice::net
