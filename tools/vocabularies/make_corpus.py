#!/usr/bin/env python3
"""Writes src/context/tokenizer_corpus.txt: texts with the ids that the reference tokenizers give them.

Run it in the environment of requirements.txt. Each case is a line with its name, one with the text in
hexadecimal, and one line of ids for each vocabulary.
"""
import pathlib

import reference

TARGET = pathlib.Path(__file__).resolve().parents[2] / "src" / "context" / "tokenizer_corpus.txt"

CODE = '''#include <vector>

template <class T> class Ring {  // of fixed size
public:
\texplicit Ring(std::size_t n) : items_(n ? n : 1) {}
    void push(T&& item) { items_[head_++ % items_.size()] = std::move(item); }
private:
    std::vector<T> items_; std::size_t head_ = 0;
};

def fib(n: int) -> int:
    """Return the n-th number."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)   # O(2**n)!

SELECT u.id, COUNT(*) AS n FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.name LIKE '%O''Brien%';
{"tool":"Bash","input":{"command":"ls -la /tmp && echo \\"$HOME\\"","timeout":120000},"ok":true,"x":[1,2.5e-3,null]}
<div class="row" id='x1'>&nbsp;&amp;</div><!-- end -->\t<br/>
let f = async (a, b) => { await sleep(1_000); return a ?? b?.c[0] !== undefined; };
'''
PROSE = {
    "english": "It's the reader's job, they'll say; we've tried, I'd guess (and you're right!). THEY'LL DON'T "
               "“Quotes” – dashes — and naïve café… 3rd, 1990s, $1,234.56, 50%, A/B, and/or, e.g. U.S.A.",
    "german": "Größenänderungen übermäßig langer Wörter wie Donaudampfschifffahrtsgesellschaftskapitän "
              "kosten 1.234,56 €, sagt „Jürgen“.",
    "french": "L'été dernier, où étiez-vous ? Qu'est-ce que c'est ? Ça va, « merci » !",
    "spanish": "¿Cómo estás? ¡Qué lástima! El niño comió piñas y bebió agüita.",
    "russian": "Съешь же ещё этих мягких французских булок, да выпей чаю. Объём 15 км².",
    "greek": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, είπε ο ΓΙΆΝΝΗΣ.",
    "arabic": "السَّلامُ عَلَيْكُمْ، كيف حالك؟ السعر ١٢٣٤ ريال.",
    "hebrew": "שָׁלוֹם עולם, מה שלומך?",
    "hindi": "नमस्ते दुनिया, आप कैसे हैं? क्षत्रिय १२३४५।",
    "thai": "สวัสดีชาวโลก น้ำใจไทย ๑๒๓๔",
    "korean": "안녕하세요, 세계! 한국어로 된 문장입니다. 한글",
    "japanese": "吾輩は猫である。名前はまだ無い。コンピューター・プログラミング、ヴァイオリンが゛ゝ々〇ヶ3つ。",
    "chinese": "你好，世界！深度求索（DeepSeek）发布了V4模型，价格为每百万tokens 0.2元。《红楼梦》第１２３回：𠀀𪚥龦龥",
    "vietnamese": "Xin chào thế giới, tiếng Việt có dấu: ữ, ặ, ễ.",
    "turkish": "İstanbul'da ığdır IĞDIR ılık; DŽ ǅ ǆ ﬁ ß ẞ ŉ ª º ʰ",
}
CASES = {
    "empty": "",
    "code": CODE,
    "code_crlf": CODE.replace("\n", "\r\n"),
    **PROSE,
    "emoji": "😀👍🏽👨‍👩‍👧‍👦🏳️‍🌈🇩🇪🇨🇳🇺🇸❤️‍🔥1️⃣☺︎ text👩🏾‍💻text 🫠🫨",
    "numbers": "0 1 12 123 1234 12345 1234567890 3.14159 -42 +7 1e10 0xFFee ½²³ Ⅷ ١٢٣٤٥ 一二三 1a2b3c v1.2.3-rc4",
    "spaces": " a  b   c    d\te\t\tf \tg \n h\n\n  i\n \n j \r\n\r\n k\rl \u00a0m\u00a0\u00a0n\u3000o\u2003\u2003p\u2028q\u0085r",
    "spaces_at_end": "a  \n  ",
    "line_breaks_at_end": "a \n\n\n",
    "one_space": " ", "two_spaces": "  ", "line_break": "\n", "space_line_space": "  \n  ",
    "spaces_before_number": "a   1   23\n  4\t\t5",
    "spaces_before_cjk": "a   中   文\n  カ\t\tな",
    "symbols_before_line_breaks": "{\n}\r\n;\n\n//\n/ /\n(・\nー\n。\n",
    "edges_of_cjk": "\u30fb\n \n\u30fb\r\n\t\n a  \u9fc0\u9fcb \n  \u9fd5  \u3400  \u9fa5   \u3041   \u3100 1  \u30ff\u3099",
    "contractions": "I'm you'Re HE'S she'd We'Ve they'LL it'T 'tis o'clock 's 'S's x'ſ 'ſ ''s l'l 'l d'",
    "cases": "helloWorld HelloWorld HELLOworld HELLO HTTPServerError iPhone mRNA ǅungla ABCdéfGHI ÀÉÎõü aB AbC",
    "mixed_scripts": "あABC ABCあBCD日本A Ωmega éÉ ɑB Bɑ ʰAʰ",
    "marks": "e\u0301e\u0301 \u0301\u0301A \u0301A!\u0301B\u0301\u0301\u0301 क्षA\u0301BC\u0301 \u20dd1\u0301 \u0301'\u0301s",
    "controls": "\x00\x00a\x00 b\x1b[31mred\x1b[0m\x7f\x1c\x1d \x0b\x0c\u200b\u200bz\ufeffx\u00ad\u200ey\ue000\ue000k\U0010ffff\uffff\u0378",
    "combined_symbols": "!a .b ,c -d _e #include @user $x %s ^y &z *p (q) +r =s [t] {u} |v ~w \\n `x` :y ;z <a> ?b \"c\" 'd",
    "special_tokens": "<|endoftext|><|fim_prefix|><｜begin▁of▁sentence｜><｜User｜>hi<｜Assistant｜></think><|im_start|>",
    "urls": "https://user@example.com:8080/a/b.c?d=e%20f&g=h#i www.x-y.org/~z ftp://127.0.0.1 C:\\dir\\file.txt ./a/../b",
    "base64": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==",
    "runs": "aaaaaaaaaaaaaaaaaaaa                    ====================\n\n\n\n\n\n\n\n--------------------________****////////....",
    "long_word": "Pneumonoultramicroscopicsilicovolcanoconiosis" * 4,
    "long_cjk": "自然语言处理是人工智能和语言学领域的分支学科" * 6,
    "random_letters": "qxjzkvwbpfyghmdlcrusnihtaoetqzxjkvbwpyfgmcldruhsnioateqjxzvkbwpgyfcmuldhrsnioatezqxj" * 3,
    "newer_unicode": "\U0001faef\U00011f00\U000105c0ⴧ\ua7cb\ua7da\U00010d50\U00016d40\U0001e5d0",
}
BROKEN = {
    "broken_lone_bytes": b"a\x80b\xffc\xc0\xafd\xf8\x88e",
    "broken_cut_off": b"x\xe4\xbd y\xf0\x9f\x98z\xc3",
    "broken_surrogates": b"\xed\xa0\xbd\xed\xb8\x80!",
    "broken_too_long": b"\xe0\x80\xaf\xf0\x80\x80\xaf\xf4\x90\x80\x80",
}
BIG = {  # counted, not listed
    "big_word": "a" * 20000, "big_spaces": " " * 20001, "big_letters": CASES["random_letters"] * 120,
    "big_cjk": CASES["long_cjk"] * 60, "big_symbols": "=" * 20003, "big_ab": "abba" * 5000,
}


def main() -> None:
    encoders = reference.encoders()
    lines = ["# Written by tools/vocabularies/make_corpus.py from the reference tokenizers."]
    cases = {name: text.encode() for name, text in CASES.items()} | BROKEN
    for name, data in cases.items():
        lines += [f"case {name}", f"text {data.hex()}"]
        for vocabulary, encode in encoders.items():
            ids = encode(data.decode(errors="replace"))
            lines.append(" ".join([vocabulary, *map(str, ids)]))
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{len(cases)} cases, {TARGET.stat().st_size} bytes")
    for name, text in BIG.items():
        print(name, len(text), {vocabulary: len(encode(text)) for vocabulary, encode in encoders.items()})


if __name__ == "__main__":
    main()
