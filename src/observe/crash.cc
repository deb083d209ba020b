#include "observe/crash.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <execinfo.h>
#include <string_view>
#include <unistd.h>

namespace sluice::observe {
namespace {

constexpr std::size_t kStackBytes = 64UL * 1024;
constexpr int kMaxFrames = 64;

struct Fatal {
    int number;
    std::string_view name;
};

constexpr std::array kFatal = {
    Fatal{.number = SIGSEGV, .name = "SIGSEGV"}, Fatal{.number = SIGBUS, .name = "SIGBUS"},
    Fatal{.number = SIGILL, .name = "SIGILL"},   Fatal{.number = SIGFPE, .name = "SIGFPE"},
    Fatal{.number = SIGABRT, .name = "SIGABRT"},
};

/// Async-signal-safe. Nothing can be done about a stderr that does not take it.
void say(std::string_view text) noexcept {
    if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

void say_address(const void* address) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 2 * sizeof(std::uintptr_t)> digits{};
    auto rest = reinterpret_cast<std::uintptr_t>(address);
    for (auto at = digits.rbegin(); at != digits.rend(); ++at, rest /= 16) *at = kDigits[rest % 16];
    say("0x");
    say({digits.data(), digits.size()});
}

void on_fatal_signal(int number, siginfo_t* info, void* /*context*/) noexcept {
    const auto* const fatal =
        std::ranges::find_if(kFatal, [number](const Fatal& each) { return each.number == number; });
    say("sluice crashed: ");
    say(fatal == kFatal.end() ? "a signal" : fatal->name);
    if (number == SIGSEGV || number == SIGBUS) {
        say(" at address ");
        say_address(info->si_addr);
    }
    say("\n");
    std::array<void*, kMaxFrames> frames{};
    const int count = backtrace(frames.data(), kMaxFrames);
    backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
    // SA_RESETHAND has restored the default action; the signal is delivered on return.
    raise(number);
}

[[noreturn]] void on_terminate() noexcept {
    say("sluice terminates: ");
    if (const std::exception_ptr current = std::current_exception()) {
        try {
            std::rethrow_exception(current);
        } catch (const std::exception& error) {
            say("uncaught exception: ");
            say(error.what());
        } catch (...) {
            say("uncaught exception of an unknown type");
        }
    } else {
        say("no exception is active");
    }
    say("\n");
    std::abort();
}

}  // namespace

struct SignalStack::State {
    std::array<char, kStackBytes> bytes;
    stack_t before;
};

SignalStack::SignalStack() : state_(new State) {
    stack_t stack{};
    stack.ss_sp = state_->bytes.data();
    stack.ss_size = state_->bytes.size();
    sigaltstack(&stack, &state_->before);
}

SignalStack::~SignalStack() {
    sigaltstack(&state_->before, nullptr);
}

void install_crash_handler() {
    [[maybe_unused]] static const SignalStack& stack = *new SignalStack;
    // The first call loads libgcc_s, which allocates: not to be done in a handler.
    std::array<void*, 4> frames{};
    backtrace(frames.data(), static_cast<int>(frames.size()));

    struct sigaction action{};
    action.sa_sigaction = on_fatal_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    for (const Fatal& fatal : kFatal) sigaction(fatal.number, &action, nullptr);
    std::set_terminate(on_terminate);
}

}  // namespace sluice::observe
