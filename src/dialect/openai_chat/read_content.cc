#include "dialect/openai_chat/read_content.h"

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/walk.h"

#include <optional>
#include <string>
#include <utility>

namespace sluice::dialect::openai_chat {
namespace {

struct Scheme {
    std::string media_type;
    std::size_t length = 0;  // of "data:image/png;base64,"
};

/// nullopt where `url` is not a data URL in base64.
std::optional<Scheme> read_scheme(std::string_view url) {
    constexpr std::string_view kData = "data:";
    constexpr std::string_view kBase64 = ";base64";
    if (!iequals(url.substr(0, kData.size()), kData)) return std::nullopt;
    const std::size_t comma = url.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const std::string_view head = url.substr(kData.size(), comma - kData.size());
    if (head.size() < kBase64.size() ||
        !iequals(head.substr(head.size() - kBase64.size()), kBase64)) {
        return std::nullopt;
    }
    return Scheme{.media_type = to_lower(head.substr(0, head.find(';'))), .length = comma + 1};
}

chat::Media media_of(std::string data) {
    chat::Media media;
    if (auto scheme = read_scheme(data)) {
        media.source = chat::Media::Source::base64;
        media.media_type = std::move(scheme->media_type);
        data.erase(0, scheme->length);
    } else {
        media.source = chat::Media::Source::url;
    }
    media.data = std::move(data);
    return media;
}

class PartReader {
public:
    PartReader(const json::Value& part, std::string_view place) : part_(part), place_(place) {}

    Result<void> read(std::vector<chat::Part>& parts) {
        if (!part_.is(json::Kind::object)) return refuse_type(place_, "an object");
        const std::string word = text_of_member(part_, "type");
        if (word == "text" || word == "input_text" || word == "output_text") {
            return read_text("text", parts);
        }
        if (word == "refusal") return read_text("refusal", parts);
        if (word == "image_url") return read_image(parts);
        if (word == "file") return read_file(parts);
        if (word.empty()) return refuse_type(std::string(place_) + ".type", "a string");
        parts.emplace_back(chat::Native{.type = word, .json = std::string(part_.raw)});
        mark(parts.back());
        return {};
    }

private:
    /// OpenRouter's clients mark parts as Anthropic's do.
    void mark(chat::Part& part) const {
        const auto cache_control = member_of(part_, "cache_control");
        if (cache_control && cache_control->is(json::Kind::object)) {
            part.cache_control = cache_control->raw;
        }
    }

    Result<void> read_text(std::string_view name, std::vector<chat::Part>& parts) const {
        const auto value = member_of(part_, name);
        auto text = value ? json::to_string(*value) : std::nullopt;
        if (!text) return refuse_type(place_ + "." + std::string(name), "a string");
        if (text->empty()) return {};
        mark(parts.emplace_back(chat::Text{*std::move(text)}));
        return {};
    }

    Result<void> read_image(std::vector<chat::Part>& parts) const {
        const auto image = member_of(part_, "image_url");
        const auto url = image && image->is(json::Kind::object) ? member_of(*image, "url") : image;
        auto text = url ? json::to_string(*url) : std::nullopt;
        if (!text) return refuse_type(place_ + ".image_url.url", "a string");
        mark(parts.emplace_back(media_of(*std::move(text))));
        return {};
    }

    Result<void> read_file(std::vector<chat::Part>& parts) const {
        const auto file = member_of(part_, "file");
        if (!file || !file->is(json::Kind::object))
            return refuse_type(place_ + ".file", "an object");
        chat::Media media;
        std::string data = text_of_member(*file, "file_data");
        if (!data.empty()) {
            media = media_of(std::move(data));
            if (media.data.find("://") == std::string::npos) {
                media.source = chat::Media::Source::base64;
            }
        } else {
            media.source = chat::Media::Source::file;
            media.data = text_of_member(*file, "file_id");
        }
        if (media.data.empty()) {
            return refuse(place_ + ".file", "a file needs 'file_data' or 'file_id'");
        }
        const bool is_image = media.media_type.starts_with("image/");
        media.kind = is_image ? chat::Media::Kind::image : chat::Media::Kind::document;
        media.title = text_of_member(*file, "filename");
        mark(parts.emplace_back(std::move(media)));
        return {};
    }

    const json::Value& part_;
    std::string place_;
};

}  // namespace

Result<void> read_content(const json::Value& content, std::string_view place,
                          std::vector<chat::Part>& parts) {
    switch (content.kind) {
        case json::Kind::null: return {};
        case json::Kind::string: {
            std::string text = json::to_string(content).value_or("");
            if (!text.empty()) parts.emplace_back(chat::Text{std::move(text)});
            return {};
        }
        case json::Kind::array: break;
        case json::Kind::object:
        case json::Kind::number:
        case json::Kind::boolean: return refuse_type(place, "a string or a list of parts");
    }
    Walk walk(content.raw);
    if (!walk.enter_array()) return {};
    std::size_t index = 0;
    while (walk.next_element()) {
        const json::Value part = walk.take();
        const std::string at = std::string(place) + "[" + std::to_string(index++) + "]";
        if (auto ok = PartReader(part, at).read(parts); !ok) return ok;
    }
    return {};
}

}  // namespace sluice::dialect::openai_chat
