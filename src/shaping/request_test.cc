#include "shaping/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>

namespace sluice::shaping {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Shaped {
    std::string body;
    Changes changes;
    std::optional<Error> error;
};

Shaped shaped(std::string_view body, const config::Transforms& transforms,
              const config::ModelAlias* alias = nullptr) {
    std::vector<json::Member> members;
    json::read_members(body, {.offset = 0, .length = body.size()}, members);
    json::Splice splice(body);
    auto changes = shape(body, members, transforms, alias, splice);
    Shaped result;
    splice.append_to(result.body);
    EXPECT_EQ(json::find_error(result.body), std::nullopt) << result.body;
    if (changes) {
        result.changes = std::move(*changes);
        EXPECT_EQ(splice.unchanged(), result.changes.rules.empty()) << result.body;
    } else {
        result.error = std::move(changes.error());
        EXPECT_TRUE(splice.unchanged());
    }
    return result;
}

constexpr std::string_view kBody =
    R"({"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":1.5,"user":"u"})";

TEST(Shape, WithoutTransformsNothingIsTouched) {
    const auto result = shaped(kBody, {});

    EXPECT_EQ(result.body, kBody);
    EXPECT_THAT(result.changes.dropped, IsEmpty());
}

TEST(Shape, TransformsThatDoNotApplyAddNoEdit) {
    config::Transforms transforms;
    transforms.reject = {"tools"};
    transforms.rename = {{.from = "max_completion_tokens", .to = "max_tokens"}};
    transforms.roles = {{.from = "developer", .to = "system"}};
    transforms.drop = {"logit_bias", "messages[].name"};
    transforms.defaults = {{.field = "temperature", .json = "1"}};
    transforms.force = {{.field = "user", .json = R"("u")"}};
    transforms.clamp = {{.field = "temperature", .lowest = 0, .highest = 2}};

    EXPECT_EQ(shaped(kBody, transforms).body, kBody);
}

TEST(Shape, ARejectedFieldIsNamed) {
    config::Transforms transforms;
    transforms.reject = {"logprobs", "tools"};
    transforms.drop = {"user"};

    const auto result = shaped(R"({"user":1,"to\u006fls":[],"model":"m"})", transforms);

    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, Errc::bad_request);
    EXPECT_EQ(result.error->param, "tools");
    EXPECT_FALSE(shaped(R"({"tools":null,"model":"m"})", transforms).error);
}

TEST(Shape, TheStepsFollowOneAnother) {
    config::Transforms transforms;
    transforms.rename = {{.from = "a", .to = "b"}, {.from = "b", .to = "c"}};
    transforms.drop = {"d", "e"};
    transforms.defaults = {
        {.field = "e", .json = "1"}, {.field = "c", .json = "2"}, {.field = "f", .json = "30"}};
    transforms.force = {{.field = "g", .json = "40"}};
    transforms.clamp = {{.field = "f", .lowest = {}, .highest = 20},
                        {.field = "g", .lowest = 50, .highest = {}}};

    const auto result = shaped(R"({"a":7,"d":1,"e":2})", transforms);

    EXPECT_EQ(result.body, R"({"e":1,"f":20,"g":50,"c":7})");
    EXPECT_THAT(result.changes.dropped, ElementsAre("d", "e"));
    EXPECT_THAT(result.changes.rules,
                ElementsAre("transforms.rename", "transforms.drop", "transforms.default",
                            "transforms.force", "transforms.clamp"));
}

TEST(Shape, TheCallersFieldsAreLeftAlone) {
    config::Transforms transforms;
    transforms.rename = {{.from = "model", .to = "x"}, {.from = "user", .to = "stream"}};
    transforms.drop = {"model", "messages", "stream", "stream_options"};
    transforms.defaults = {{.field = "stream", .json = "true"}};
    transforms.force = {{.field = "stream_options", .json = "{}"}};
    transforms.clamp = {{.field = "stream", .lowest = 1, .highest = 1}};

    EXPECT_EQ(shaped(kBody, transforms).body, kBody);
}

TEST(Shape, AnAliasWinsOverTheTransformsButItsDefaultsNotOverTheClient) {
    config::Transforms transforms;
    transforms.defaults = {{.field = "thinking", .json = "1"}, {.field = "top_p", .json = "2"}};
    transforms.force = {{.field = "seed", .json = "1"}, {.field = "n", .json = "1"}};
    transforms.models = {{.name = "deepseek-chat",
                          .model = "deepseek-flash",
                          .defaults = {{.field = "thinking", .json = "\"off\""},
                                       {.field = "user", .json = "\"alias\""}},
                          .force = {{.field = "seed", .json = "7"}}}};
    const config::ModelAlias* const alias = find_alias(transforms, "deepseek-chat");
    ASSERT_NE(alias, nullptr);

    const auto result = shaped(R"({"model":"m","user":"mine","seed":3})", transforms, alias);

    EXPECT_EQ(result.body,
              R"({"thinking":"off","top_p":2,"n":1,"model":"m","user":"mine","seed":7})");
    EXPECT_THAT(result.changes.rules,
                ElementsAre("transforms.models", "transforms.default", "transforms.force"));
    EXPECT_EQ(find_alias(transforms, "deepseek"), nullptr);
}

TEST(Shape, AnAliasNeedsNoOtherTransforms) {
    config::ModelAlias alias;
    alias.force = {{.field = "thinking", .json = "{}"}};

    EXPECT_EQ(shaped(R"({"model":"m"})", {}, &alias).body, R"({"thinking":{},"model":"m"})");
}

TEST(Shape, RolesAreRenamedInEveryMessage) {
    config::Transforms transforms;
    transforms.roles = {{.from = "developer", .to = "system"}, {.from = "system", .to = "x"}};

    const auto result = shaped(
        R"({"messages":[ {"role":"developer","content":"developer"},{"content":[],)"
        R"("\u0072ole" : "d\u0065veloper"},{"role":"user"},7,{"role":["developer"]},{}],"model":"m"})",
        transforms);

    EXPECT_EQ(
        result.body,
        R"({"messages":[ {"role":"system","content":"developer"},{"content":[],)"
        R"("\u0072ole" : "system"},{"role":"user"},7,{"role":["developer"]},{}],"model":"m"})");
    EXPECT_THAT(result.changes.rules, ElementsAre("transforms.roles"));
    EXPECT_THAT(result.changes.dropped, IsEmpty());
}

TEST(Shape, FieldsOfMessagesAreDropped) {
    config::Transforms transforms;
    transforms.drop = {"messages[].name", "name", "messages[].prefix"};

    const auto result =
        shaped(R"({"name":1,"messages":[{"name":"a","role":"user"},{"role":"user","name":null},)"
               R"({"name":"b"},{"content":{"name":"c"}}]})",
               transforms);

    EXPECT_EQ(result.body,
              R"({"messages":[{"role":"user"},{"role":"user"},{},{"content":{"name":"c"}}]})");
    EXPECT_THAT(result.changes.dropped, ElementsAre("name", "messages[].name"));
    EXPECT_THAT(result.changes.rules, ElementsAre("transforms.drop"));
}

TEST(Shape, HundredsOfMessagesAreNoDifficulty) {
    config::Transforms transforms;
    transforms.roles = {{.from = "developer", .to = "system"}};
    transforms.drop = {"messages[].name", "z"};
    for (const int count : {1, 32, 33, 64, 65, 700}) {
        std::string body = R"({"z":1,"messages":[)";
        std::string expected = R"({"messages":[)";
        for (int i = 0; i < count; ++i) {
            body += std::string(i == 0 ? "" : ",") + R"({"name":"n","role":"developer"})";
            expected += std::string(i == 0 ? "" : ",") + R"({"role":"system"})";
        }
        EXPECT_EQ(shaped(body + R"(],"model":"m"})", transforms).body,
                  expected + R"(],"model":"m"})");
    }
}

TEST(Shape, MessagesThatAreNoListAreLeftAlone) {
    config::Transforms transforms;
    transforms.roles = {{.from = "developer", .to = "system"}};

    EXPECT_EQ(shaped(R"({"messages":{"role":"developer"}})", transforms).body,
              R"({"messages":{"role":"developer"}})");
}

TEST(Shape, EditsOfOthersInTheSameSpliceStand) {
    const std::string_view body = R"({"user":"u","model":"m","messages":[{"role":"developer"}]})";
    config::Transforms transforms;
    transforms.drop = {"user"};
    transforms.defaults = {{.field = "n", .json = "1"}};
    transforms.roles = {{.from = "developer", .to = "system"}};
    std::vector<json::Member> members;
    json::read_members(body, {.offset = 0, .length = body.size()}, members);
    json::Splice splice(body);
    splice.replace(members[1].value, R"("other")");
    splice.insert(1, R"("stream_options":{},)");

    ASSERT_TRUE(shape(body, members, transforms, nullptr, splice));

    std::string text;
    splice.append_to(text);
    EXPECT_EQ(text,
              R"({"stream_options":{},"n":1,"model":"other","messages":[{"role":"system"}]})");
}

/// The same rules carried out on a list of names and values: slow, and plain to see.
class Reference {
public:
    struct Field {
        std::string name;
        std::string value;
        std::string origin;  ///< the client's name where it gave a value; else empty
    };

    explicit Reference(std::vector<Field> fields) : fields_(std::move(fields)) {}

    [[nodiscard]] bool given(const std::string& name) const {
        return std::ranges::any_of(
            fields_, [&](const Field& f) { return f.name == name && f.value != "null"; });
    }
    [[nodiscard]] bool has(const std::string& name) const {
        return std::ranges::find(fields_, name, &Field::name) != fields_.end();
    }
    void drop(const std::string& name) {
        for (const Field& f : fields_) {
            const bool told = std::ranges::find(dropped_, f.origin) != dropped_.end();
            if (f.name == name && !f.origin.empty() && !told) dropped_.push_back(f.origin);
        }
        erase(name);
    }
    void rename(const std::string& from, const std::string& to) {
        if (from == to || !has(from)) return;
        if (given(to) || (has(to) && !given(from))) return drop(from);
        erase(to);
        for (Field& f : fields_) {
            if (f.name == from) f.name = to;
        }
    }
    void set(const std::string& name, const std::string& value) {
        std::string origin;
        for (const Field& f : fields_) {
            if (f.name == name) origin = f.origin;
        }
        erase(name);
        fields_.push_back({name, value, origin});
    }
    void clamp(const config::Clamp& clamp) {
        for (Field& f : fields_) {
            if (f.name != clamp.field || f.value[0] < '0' || f.value[0] > '9') continue;
            const int number = std::stoi(f.value);
            if (clamp.lowest && number < *clamp.lowest) {
                f.value = std::to_string(static_cast<int>(*clamp.lowest));
            }
            if (clamp.highest && std::stoi(f.value) > *clamp.highest) {
                f.value = std::to_string(static_cast<int>(*clamp.highest));
            }
        }
    }

    [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
    [[nodiscard]] const std::vector<std::string>& dropped() const { return dropped_; }

private:
    void erase(const std::string& name) {
        std::erase_if(fields_, [&](const Field& f) { return f.name == name; });
    }

    std::vector<Field> fields_;
    std::vector<std::string> dropped_;
};

class Randomness {
public:
    explicit Randomness(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t bound) { return engine_() % bound; }
    std::string name() { return {static_cast<char>('a' + below(6))}; }
    std::string value() {
        static constexpr std::array<const char*, 6> kValues{"null", "0",     "5",
                                                            "12",   "[1,2]", R"("x,}")"};
        return kValues.at(below(kValues.size()));
    }
    std::string space() { return below(4) == 0 ? " \n" : ""; }
    config::Assignment assignment() { return {.field = name(), .json = value()}; }

private:
    std::mt19937 engine_;
};

config::Transforms random_transforms(Randomness& random) {
    config::Transforms transforms;
    for (std::size_t i = random.below(3); i > 0; --i) {
        transforms.rename.push_back({random.name(), random.name()});
    }
    for (std::size_t i = random.below(4); i > 0; --i) transforms.drop.push_back(random.name());
    for (std::size_t i = random.below(3); i > 0; --i) {
        transforms.defaults.push_back(random.assignment());
    }
    for (std::size_t i = random.below(3); i > 0; --i) {
        transforms.force.push_back(random.assignment());
    }
    for (std::size_t i = random.below(3); i > 0; --i) {
        transforms.clamp.push_back({.field = random.name(), .lowest = 2, .highest = 7});
    }
    return transforms;
}

std::string escaped(std::string_view name) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(name[0]);
    return std::string("\\u00") + kHex[code >> 4U] + kHex[code & 0xFU];
}

TEST(Shape, DoesWhatAPlainImplementationDoes) {
    for (unsigned seed = 0; seed < 5'000; ++seed) {
        Randomness random(seed);
        const config::Transforms transforms = random_transforms(random);
        config::ModelAlias alias;
        if (random.below(2) == 0) {
            alias.defaults.push_back(random.assignment());
            alias.force.push_back(random.assignment());
        }
        std::vector<Reference::Field> fields;
        std::string body = "{" + random.space();
        const std::size_t count = random.below(7);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = random.name();
            const std::string value = random.value();
            fields.push_back({name, value, value == "null" ? "" : name});
            body += (i == 0 ? "\"" : ",\"") + (random.below(5) == 0 ? escaped(name) : name) + "\"";
            body += random.space() + ":" + random.space() + value + random.space();
        }
        body += "}";

        Reference reference(fields);
        for (const auto& [from, to] : transforms.rename) reference.rename(from, to);
        for (const auto& field : transforms.drop) reference.drop(field);
        for (const auto& list : {alias.defaults, transforms.defaults}) {
            for (const auto& [field, json] : list) {
                if (!reference.given(field)) reference.set(field, json);
            }
        }
        for (const auto& list : {transforms.force, alias.force}) {
            for (const auto& [field, json] : list) reference.set(field, json);
        }
        for (const auto& clamp : transforms.clamp) reference.clamp(clamp);

        const Shaped result = shaped(body, transforms, &alias);
        ASSERT_FALSE(result.error);
        std::vector<std::string> expected;
        for (const auto& field : reference.fields()) {
            expected.push_back(field.name + "=" + field.value);
        }
        std::vector<std::string> found;
        json::Reader reader(result.body);
        while (reader.next()) {
            const std::string key = "\"" + std::string(reader.raw_key()) + "\"";
            const auto name = json::to_string(json::as_value(key));
            found.push_back(name.value_or("?") + "=" + std::string(reader.value().raw));
        }
        std::ranges::sort(expected);
        std::ranges::sort(found);
        ASSERT_EQ(found, expected) << "seed " << seed << ": " << body << " -> " << result.body;
        ASSERT_THAT(result.changes.dropped, testing::UnorderedElementsAreArray(reference.dropped()))
            << "seed " << seed << ": " << body;
    }
}

}  // namespace
}  // namespace sluice::shaping
