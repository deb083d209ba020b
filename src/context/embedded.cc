#include "context/embedded.h"

#include <utility>

// The assembler takes the files in as they are. SLUICE_VOCABULARIES is their folder.
#define SLUICE_EMBED(symbol, file)                                      \
    asm(".pushsection .rodata\n"                                        \
        ".balign 16\n"                                                  \
        ".globl " #symbol "_begin\n.hidden " #symbol "_begin\n" #symbol \
        "_begin:\n"                                                     \
        ".incbin \"" SLUICE_VOCABULARIES "/" file                       \
        "\"\n"                                                          \
        ".globl " #symbol "_end\n.hidden " #symbol "_end\n" #symbol     \
        "_end:\n"                                                       \
        ".byte 0\n"                                                     \
        ".popsection\n");                                               \
    extern "C" const unsigned char symbol##_begin[];                    \
    extern "C" const unsigned char symbol##_end[]

SLUICE_EMBED(sluice_deepseek_merges, "deepseek.bpe");
SLUICE_EMBED(sluice_o200k_merges, "o200k.bpe");
SLUICE_EMBED(sluice_cl100k_merges, "cl100k.bpe");
SLUICE_EMBED(sluice_oniguruma_classes, "oniguruma.classes");
SLUICE_EMBED(sluice_rust_classes, "rust.classes");

namespace sluice::context {

std::span<const unsigned char> embedded_merges(Vocabulary vocabulary) noexcept {
    switch (vocabulary) {
        case Vocabulary::deepseek:
            return {sluice_deepseek_merges_begin, sluice_deepseek_merges_end};
        case Vocabulary::o200k: return {sluice_o200k_merges_begin, sluice_o200k_merges_end};
        case Vocabulary::cl100k: return {sluice_cl100k_merges_begin, sluice_cl100k_merges_end};
    }
    std::unreachable();
}

std::span<const unsigned char> embedded_classes(Vocabulary vocabulary) noexcept {
    switch (vocabulary) {
        case Vocabulary::deepseek:
            return {sluice_oniguruma_classes_begin, sluice_oniguruma_classes_end};
        case Vocabulary::o200k:
        case Vocabulary::cl100k: return {sluice_rust_classes_begin, sluice_rust_classes_end};
    }
    std::unreachable();
}

}  // namespace sluice::context
