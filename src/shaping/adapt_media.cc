#include "shaping/adapt_media.h"

namespace sluice::shaping {
namespace {

std::string_view word(const chat::Media& media) {
    return media.kind == chat::Media::Kind::image ? "image" : "document";
}

}  // namespace

std::string document_text(const chat::Media& document) {
    std::string text;
    if (!document.title.empty()) text += "[document: " + document.title + "]\n";
    if (!document.context.empty()) text += "[context: " + document.context + "]\n";
    return text + document.data;
}

std::string omitted_text(const chat::Media& media, std::string_view why) {
    std::string text = "[";
    text += word(media);
    if (!media.title.empty()) text += " \"" + media.title + '"';
    text += " omitted: ";
    text += why;
    return text + ']';
}

std::string lifted_text(const chat::Media& media, std::size_t number) {
    std::string text = "[";
    text += word(media);
    return text + ' ' + std::to_string(number) + " of the tool's result follows]";
}

}  // namespace sluice::shaping
