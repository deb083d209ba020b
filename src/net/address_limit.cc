#include "net/address_limit.h"

namespace sluice::net {

bool AddressLimit::enter(const std::string& address, std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::size_t& held = held_[address];
    if (held >= most) {
        if (held == 0) held_.erase(address);
        return false;
    }
    ++held;
    return true;
}

void AddressLimit::leave(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto found = held_.find(address);
    if (--found->second == 0) held_.erase(found);
}

}  // namespace sluice::net
