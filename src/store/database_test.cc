#include "store/database.h"

#include "store/test_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <sys/resource.h>
#include <vector>

namespace sluice::store {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array kFirst{Sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, body BLOB) STRICT")};
constexpr std::array kSecond{kFirst[0], Sql("ALTER TABLE notes ADD COLUMN day INTEGER")};
constexpr std::int32_t kId = 4711;

class DatabaseTest : public testing::Test {
protected:
    [[nodiscard]] DatabaseOptions options(std::span<const Sql> migrations = kFirst) const {
        return {.path = path_, .application_id = kId, .migrations = migrations};
    }
    [[nodiscard]] DatabaseOptions forgiving() const {
        auto made = options();
        made.on_damage = OnDamage::set_aside;
        return made;
    }

    static Result<void> add(Database& database, std::string_view body) {
        auto query = database.query("INSERT INTO notes (body) VALUES (?)");
        if (!query) return std::unexpected(query.error());
        const std::vector<std::uint8_t> bytes(body.begin(), body.end());
        query->bind_blob(1, bytes);
        return query->run();
    }
    static std::int64_t count(Database& database) {
        auto query = database.query("SELECT count(*) FROM notes");
        return query && query->next().value_or(false) ? query->integer(0) : -1;
    }
    static std::string integrity(Database& database) {
        auto query = database.query("PRAGMA integrity_check");
        return query && query->next().value_or(false) ? std::string(query->text(0)) : "failed";
    }
    void fill(int rows) {
        auto database = Database::open(options());
        ASSERT_TRUE(database) << database.error().message;
        for (int i = 0; i < rows; ++i) ASSERT_TRUE(add(*database, std::string(1000, 'x')));
    }

    TestFolder folder_;
    std::string path_ = folder_.file("a/b/state.db");
};

TEST_F(DatabaseTest, WhatIsMadeIsItsOwnersAlone) {
    const auto before = ::umask(0);
    auto database = Database::open(options());
    ::umask(before);

    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(add(*database, "x"));
    EXPECT_EQ(mode_of(path_), 0600U);
    EXPECT_EQ(mode_of(path_ + "-wal"), 0600U);
    EXPECT_EQ(mode_of(path_ + "-shm"), 0600U);
    EXPECT_EQ(mode_of(path_ + "-lock"), 0600U);
    EXPECT_EQ(mode_of(folder_.file("a")), 0700U);
    EXPECT_EQ(mode_of(folder_.file("a/b")), 0700U);
}

TEST_F(DatabaseTest, AFileThatOthersMayReadIsTakenFromThem) {
    fill(1);
    ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);

    ASSERT_TRUE(Database::open(options()));

    EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(DatabaseTest, WhatIsWrittenIsThereAfterReopening) {
    fill(3);

    auto database = Database::open(options());

    ASSERT_TRUE(database);
    EXPECT_EQ(count(*database), 3);
    EXPECT_EQ(integrity(*database), "ok");
    EXPECT_EQ(database->damage(), "");
}

TEST_F(DatabaseTest, ValuesComeBackAsTheyWere) {
    auto database = Database::open(options());
    ASSERT_TRUE(database);
    const std::vector<std::uint8_t> blob{0, 255, 0, 7};
    auto query = database->query("SELECT ?, ?, ?, ?, ?, ?");
    ASSERT_TRUE(query);

    query->bind(1, -5).bind_text(2, std::string_view("a\0b", 3)).bind_blob(3, blob);
    query->bind_text(4, {}).bind_blob(5, {}).bind_null(6);

    const auto row = query->next();
    ASSERT_TRUE(row.value_or(false));
    EXPECT_EQ(query->integer(0), -5);
    EXPECT_EQ(query->text(1), std::string_view("a\0b", 3));
    EXPECT_TRUE(std::ranges::equal(query->blob(2), blob));
    EXPECT_EQ(query->text(3), "");
    EXPECT_TRUE(query->blob(4).empty());
    EXPECT_EQ(query->text(5), "");
    EXPECT_FALSE(query->next().value_or(true));
}

TEST_F(DatabaseTest, AValueForAPlaceThatIsNotThereIsAnError) {
    auto database = Database::open(options());
    ASSERT_TRUE(database);
    auto query = database->query("SELECT ?");
    ASSERT_TRUE(query);

    const auto row = query->bind(2, 1).next();

    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().code, Errc::internal);
}

TEST_F(DatabaseTest, AStatementHasOneQueryAtATime) {
    auto database = Database::open(options());
    ASSERT_TRUE(database);
    static constexpr Sql kSql = "SELECT 1";
    {
        const auto first = database->query(kSql);
        ASSERT_TRUE(first);
        EXPECT_FALSE(database->query(kSql));
    }
    EXPECT_TRUE(database->query(kSql));
}

TEST_F(DatabaseTest, MigrationsLeadFromWhateverVersionIsThere) {
    fill(2);

    auto database = Database::open(options(kSecond));

    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 2);
    EXPECT_TRUE(database->execute("UPDATE notes SET day = 1"));
    EXPECT_TRUE(Database::open(options(kSecond)));
}

TEST_F(DatabaseTest, AFailedMigrationLeavesTheFileAsItWas) {
    fill(2);
    static constexpr std::array kWrong{kFirst[0], Sql("DELETE FROM notes; SELECT nonsense")};

    const auto wrong = Database::open(options(kWrong));

    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Errc::internal);
    auto database = Database::open(options());
    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 2);
}

TEST_F(DatabaseTest, ANewerSchemaIsRefusedWithAdviceAndLeftAlone) {
    ASSERT_TRUE(Database::open(options(kSecond)));
    const std::string before = read_all(path_);

    const auto database = Database::open(forgiving());

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::bad_request);
    EXPECT_THAT(database.error().message, HasSubstr("has schema version 2"));
    EXPECT_THAT(database.error().message, HasSubstr("up to 1"));
    EXPECT_THAT(database.error().message, HasSubstr("move the file away"));
    EXPECT_EQ(read_all(path_), before);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged"));
}

TEST_F(DatabaseTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
    fill(1);
    auto other = forgiving();
    other.application_id = 1;

    const auto database = Database::open(other);

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::bad_request);
    EXPECT_THAT(database.error().message, HasSubstr("another program's"));
    EXPECT_TRUE(Database::open(options()));
}

TEST_F(DatabaseTest, ADatabaseWithoutAnOwnersMarkIsNotTakenForOurs) {
    auto unmarked = forgiving();
    unmarked.application_id = 0;
    ASSERT_TRUE(Database::open(unmarked));

    const auto database = Database::open(forgiving());

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::bad_request);
}

TEST_F(DatabaseTest, DamageIsRefusedWhereNothingMayBeLost) {
    std::filesystem::create_directories(folder_.file("a/b"));
    write_all(path_, std::string(5000, 'z'));

    const auto database = Database::open(options());

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::internal);
    EXPECT_THAT(database.error().message, HasSubstr("Restore it"));
    EXPECT_EQ(read_all(path_), std::string(5000, 'z'));
}

TEST_F(DatabaseTest, DamageIsSetAsideWhereItMay) {
    std::filesystem::create_directories(folder_.file("a/b"));
    write_all(path_, std::string(5000, 'z'));
    write_all(path_ + ".damaged-wal", "of an earlier time");

    auto database = Database::open(forgiving());

    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 0);
    EXPECT_THAT(database->damage(), HasSubstr("not a database"));
    EXPECT_THAT(database->damage(), HasSubstr(path_ + ".damaged"));
    EXPECT_EQ(read_all(path_ + ".damaged"), std::string(5000, 'z'));
    EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged-wal"));
}

TEST_F(DatabaseTest, BeginningAnewSparesAFileThatIsSound) {
    fill(2);

    auto database = Database::begin_anew(forgiving());

    ASSERT_TRUE(database);
    EXPECT_EQ(count(*database), 2);
    EXPECT_EQ(database->damage(), "");
}

TEST_F(DatabaseTest, DamagedAndInUseIsNotReplaced) {
    fill(200);
    auto user = Database::open(options());
    ASSERT_TRUE(user);
    std::string bytes = read_all(path_);
    write_all(path_, bytes.replace(40'960, 8192, std::string(8192, '\x55')));

    const auto database = Database::begin_anew(forgiving());

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::overloaded);
    EXPECT_THAT(database.error().message, HasSubstr("in use by another process"));
    EXPECT_EQ(read_all(path_), bytes);
}

TEST_F(DatabaseTest, SoundAndInUseIsShared) {
    fill(2);
    auto user = Database::open(options());
    ASSERT_TRUE(user);

    auto database = Database::begin_anew(forgiving());

    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 2);
}

TEST_F(DatabaseTest, BeginningAnewFindsDamageInsideOfTheFile) {
    fill(200);
    std::string bytes = read_all(path_);
    ASSERT_GT(bytes.size(), 100'000U);
    bytes.replace(40'960, 8192, std::string(8192, '\x55'));
    write_all(path_, bytes);
    ASSERT_TRUE(Database::open(forgiving())) << "the test wants damage that opening does not see";

    auto database = Database::begin_anew(forgiving());

    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ(count(*database), 0);
    EXPECT_THAT(database->damage(), HasSubstr(".damaged"));
    EXPECT_EQ(read_all(path_ + ".damaged"), bytes);
}

TEST_F(DatabaseTest, NoTruncationOfTheFileIsFatal) {
    fill(20);
    const std::string bytes = read_all(path_);
    for (const std::size_t size :
         {0UL, 1UL, 99UL, 100UL, 4095UL, 4096UL, 4097UL, 8192UL, 20000UL}) {
        std::filesystem::remove(path_ + "-wal");
        std::filesystem::remove(path_ + "-shm");
        write_all(path_, std::string_view(bytes).substr(0, size));

        auto database = Database::open(forgiving());

        ASSERT_TRUE(database) << size << ": " << database.error().message;
        (void)integrity(*database);
    }
}

TEST_F(DatabaseTest, AFolderThatCannotBeMadeIsTheOperatorsToMend) {
    write_all(folder_.file("a"), "a file");

    const auto database = Database::open(options());

    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::bad_request);
    EXPECT_THAT(database.error().message, HasSubstr(folder_.path()));
}

TEST_F(DatabaseTest, SeveralProcessesMakeAndFillOneFileTogether) {
    constexpr int kProcesses = 4;
    constexpr int kRows = 50;
    std::vector<pid_t> children;
    children.reserve(kProcesses);
    for (int i = 0; i < kProcesses; ++i) {
        children.push_back(start_child([this] {
            auto database = Database::open(options());
            if (!database) return 1;
            database->set_busy_timeout(std::chrono::seconds(20));
            for (int row = 0; row < kRows; ++row) {
                if (!database->begin()) return 2;
                if (!add(*database, "x")) return 3;
                if (!database->commit()) return 4;
            }
            return 0;
        }));
    }
    for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);

    auto database = Database::open(options());
    ASSERT_TRUE(database);
    EXPECT_EQ(count(*database), kProcesses * kRows);
    EXPECT_EQ(integrity(*database), "ok");
}

TEST_F(DatabaseTest, OneOfSeveralProcessesSetsADamagedFileAside) {
    std::filesystem::create_directories(folder_.file("a/b"));
    write_all(path_, std::string(5000, 'z'));
    constexpr int kProcesses = 4;
    std::vector<pid_t> children;
    children.reserve(kProcesses);
    for (int i = 0; i < kProcesses; ++i) {
        children.push_back(start_child([this] {
            auto database = Database::open(forgiving());
            return database && add(*database, "x") ? 0 : 1;
        }));
    }
    for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);

    auto database = Database::open(options());
    ASSERT_TRUE(database);
    EXPECT_EQ(count(*database), kProcesses);
    EXPECT_EQ(read_all(path_ + ".damaged"), std::string(5000, 'z'));
}

TEST_F(DatabaseTest, ALockThatIsNotGivenBackInTimeMayWorkLater) {
    auto first = Database::open(options());
    auto second = Database::open(options());
    ASSERT_TRUE(first && second);
    second->set_busy_timeout(std::chrono::milliseconds(10));
    ASSERT_TRUE(first->begin());

    const auto busy = second->begin();

    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code, Errc::overloaded);
    first->rollback();
    EXPECT_TRUE(second->begin());
}

TEST_F(DatabaseTest, ATransactionThatIsNotCommittedLeavesNothing) {
    auto database = Database::open(options());
    ASSERT_TRUE(database);
    {
        const auto transaction = Transaction::begin(*database);
        ASSERT_TRUE(transaction);
        ASSERT_TRUE(add(*database, "x"));
    }
    EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, AFullDiskIsAnErrorThatPasses) {
    fill(10);
    const pid_t child = start_child([this] {
        (void)::signal(SIGXFSZ, SIG_IGN);
        auto database = Database::open(options());
        if (!database) return 1;
        const rlimit full{.rlim_cur = 50'000, .rlim_max = RLIM_INFINITY};
        const rlimit free{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &full);
        if (!database->begin()) return 2;
        Result<void> added;
        for (int i = 0; i < 10'000 && added; ++i) added = add(*database, std::string(1000, 'x'));
        if (added) added = database->commit();
        if (added) return 3;
        if (added.error().code != Errc::overloaded) return 4;
        database->rollback();
        ::setrlimit(RLIMIT_FSIZE, &free);
        if (!add(*database, "after")) return 5;
        return count(*database) == 11 && integrity(*database) == "ok" ? 0 : 6;
    });
    EXPECT_EQ(wait_for(child), 0);
}

TEST_F(DatabaseTest, DurabilityIsWhatWasAskedFor) {
    const auto level = [](Database& database) {
        auto query = database.query("PRAGMA synchronous");
        return query && query->next().value_or(false) ? query->integer(0) : -1;
    };
    auto process = Database::open(options());
    auto power = options();
    power.durability = Durability::power;
    auto other = Database::open(power);

    ASSERT_TRUE(process && other);
    EXPECT_EQ(level(*process), 1);
    EXPECT_EQ(level(*other), 2);
}

TEST_F(DatabaseTest, ErrorsNameTheFile) {
    auto database = Database::open(options());
    ASSERT_TRUE(database);

    const auto failed = database->execute("SELECT nonsense");

    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr(path_));
    EXPECT_THAT(failed.error().message, HasSubstr("nonsense"));
    EXPECT_THAT(failed.error().message, Not(HasSubstr("not an error")));
}

}  // namespace
}  // namespace sluice::store
