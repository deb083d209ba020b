#pragma once

/// For tests of load(): a directory of its own, an environment that is only what the test says.

#include "config/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace sluice::config {

class LoadTest : public testing::Test {
public:
    LoadTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "sluice-config-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr) directory_ = name;
        environment_["HOME"] = "/home/u";
    }
    ~LoadTest() override { std::filesystem::remove_all(directory_); }
    LoadTest(const LoadTest&) = delete;
    LoadTest(LoadTest&&) = delete;
    LoadTest& operator=(const LoadTest&) = delete;
    LoadTest& operator=(LoadTest&&) = delete;

protected:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ / name, std::ios::binary) << text;
    }

    /// Makes `text` the configuration file.
    void file(const std::string& text) {
        write("sluice.yaml", text);
        flags_.config_file = "sluice.yaml";
    }

    [[nodiscard]] std::expected<Loaded, std::vector<Problem>> try_load() const {
        return load(
            flags_,
            [this](std::string_view name) -> std::optional<std::string> {
                const auto known = environment_.find(name);
                return known == environment_.end() ? std::nullopt : std::optional(known->second);
            },
            directory_.string());
    }

    /// The configuration of a load that must succeed.
    [[nodiscard]] Config loaded() const {
        auto result = try_load();
        if (result) return std::move(result->config);
        for (const Problem& problem : result.error()) ADD_FAILURE() << to_string(problem);
        return {};
    }

    [[nodiscard]] std::vector<std::string> warnings() const {
        const auto result = try_load();
        return result ? result->warnings : std::vector<std::string>{"(not loaded)"};
    }

    /// What is wrong, one text each.
    [[nodiscard]] std::vector<std::string> problems() const {
        std::vector<std::string> texts;
        const auto result = try_load();
        if (result) return texts;
        std::ranges::transform(result.error(), std::back_inserter(texts),
                               [](const Problem& problem) { return to_string(problem); });
        return texts;
    }

    [[nodiscard]] std::vector<std::string> problems_of(const std::string& text) {
        file(text);
        return problems();
    }

    std::filesystem::path directory_;
    Flags flags_;
    std::map<std::string, std::string, std::less<>> environment_;
};

}  // namespace sluice::config
