#include "upstream/embedded/faults.h"

#include "json/reader.h"
#include "upstream/embedded/gzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace sluice::upstream::embedded {
namespace {

FaultRequest request(bool stream) {
    FaultRequest request;
    request.stream = stream;
    request.authorization = "Bearer sk-seen";
    request.identity.id = "chatcmpl-1";
    request.identity.model = "fault";
    return request;
}

std::string bytes_of(const WireScript& script) {
    std::string bytes;
    for (const WireStep& step : script) bytes += step.bytes;
    return bytes;
}

TEST(Faults, EveryRequirementOfUpstreamFaultsHasAModel) {
    std::set<std::string> covered;
    for (const Fault& fault : faults()) covered.emplace(fault.requirement);

    for (int id = 1; id <= 18; ++id) EXPECT_TRUE(covered.contains("UP-" + std::to_string(id)));
}

TEST(Faults, NamesAreUniqueAndSayThatTheyAreFaults) {
    std::set<std::string_view> names;
    for (const Fault& fault : faults()) {
        EXPECT_TRUE(is_fault_name(fault.name)) << fault.name;
        EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
        EXPECT_EQ(find_fault(fault.name), &fault);
    }
    EXPECT_EQ(find_fault("fault-of-nobody"), nullptr);
}

TEST(Faults, ScriptsAreSmallEvenWhereTheyNeverEnd) {
    for (const Fault& fault : faults()) {
        for (const bool stream : {false, true}) {
            EXPECT_LT(bytes_of(fault.make(request(stream))).size(), 256U * 1024) << fault.name;
        }
    }
}

TEST(Faults, TheKeyIsEchoedWhereThatIsTheFault) {
    const Fault* const fault = find_fault("fault-500-echo-key");

    ASSERT_NE(fault, nullptr);
    EXPECT_THAT(bytes_of(fault->make(request(false))), ::testing::HasSubstr("Bearer sk-seen"));
}

TEST(Faults, AreAllDocumented) {
    const char* const root = std::getenv("SLUICE_SOURCE_DIR");
    if (root == nullptr) GTEST_SKIP() << "SLUICE_SOURCE_DIR is not set";
    const std::ifstream file(std::string(root) + "/docs/embedded.md");
    std::ostringstream text;
    text << file.rdbuf();

    for (const Fault& fault : faults()) {
        EXPECT_THAT(text.str(), ::testing::HasSubstr("| `" + std::string(fault.name) + "` | " +
                                                     std::string(fault.requirement) + " |"));
    }
}

TEST(Gzip, AStoredBlockHasItsLengthAndItsSum) {
    // python3: zlib.crc32(b"hello") == 0x3610a686
    EXPECT_EQ(gzip_stored("hello"), std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF\x01\x05\0\xFA\xFF"
                                                "hello\x86\xA6\x10\x36\x05\0\0\0",
                                                28));
}

}  // namespace
}  // namespace sluice::upstream::embedded
