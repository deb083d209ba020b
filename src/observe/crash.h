#pragma once

/// What the program says when it dies of itself. The exit status stays the signal's, so that a
/// supervisor sees a crash as a crash.

#include <memory>

namespace sluice::observe {

/// On SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT a backtrace goes to stderr; std::terminate says
/// first which exception was its reason. Call once, early in main(); the calling thread gets a
/// signal stack of its own.
void install_crash_handler();

/// A signal stack for the thread that creates and destroys it, without which the overflow of that
/// thread's own stack leaves no trace.
class SignalStack {
public:
    SignalStack();
    ~SignalStack();

    SignalStack(const SignalStack&) = delete;
    SignalStack& operator=(const SignalStack&) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sluice::observe
