#include "observe/crash.h"

#include <gtest/gtest.h>

#include <csignal>
#include <exception>
#include <stdexcept>
#include <thread>

namespace sluice::observe {
namespace {

class CrashDeathTest : public testing::Test {
protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void crash_by(int signal) {
    install_crash_handler();
    raise(signal);
    _exit(0);
}

TEST_F(CrashDeathTest, EachFatalSignalIsNamedAndStaysTheReasonOfDeath) {
    EXPECT_EXIT(crash_by(SIGSEGV), testing::KilledBySignal(SIGSEGV), "sluice crashed: SIGSEGV");
    EXPECT_EXIT(crash_by(SIGBUS), testing::KilledBySignal(SIGBUS), "sluice crashed: SIGBUS");
    EXPECT_EXIT(crash_by(SIGILL), testing::KilledBySignal(SIGILL), "sluice crashed: SIGILL");
    EXPECT_EXIT(crash_by(SIGFPE), testing::KilledBySignal(SIGFPE), "sluice crashed: SIGFPE");
    EXPECT_EXIT(crash_by(SIGABRT), testing::KilledBySignal(SIGABRT), "sluice crashed: SIGABRT");
}

TEST_F(CrashDeathTest, TheBacktraceNamesTheProgram) {
    EXPECT_EXIT(crash_by(SIGSEGV), testing::KilledBySignal(SIGSEGV), "sluice_observe_test");
}

TEST_F(CrashDeathTest, AnUncaughtExceptionSaysWhatItWas) {
    const auto terminate = [] {
        install_crash_handler();
        std::thread([] { throw std::runtime_error("the reason"); }).join();
    };
    EXPECT_EXIT(terminate(), testing::KilledBySignal(SIGABRT),
                "uncaught exception: the reason\n(.*\n)*sluice crashed: SIGABRT");
}

TEST(SignalStackTest, ThePreviousStackComesBack) {
    std::thread([] {
        stack_t before{};
        sigaltstack(nullptr, &before);
        {
            const SignalStack stack;
            stack_t during{};
            sigaltstack(nullptr, &during);
            EXPECT_NE(during.ss_sp, before.ss_sp);
            EXPECT_EQ(during.ss_flags & SS_DISABLE, 0);
        }
        stack_t after{};
        sigaltstack(nullptr, &after);
        EXPECT_EQ(after.ss_flags & SS_DISABLE, before.ss_flags & SS_DISABLE);
    }).join();
}

}  // namespace
}  // namespace sluice::observe
