"""Writes src/attune/text/unicode_tables.h: what the `tokenizers` package and Python know of Unicode.

The pre-tokenizers' regular expressions see the Unicode version built into `tokenizers`, which is neither that of
Debian's utf8proc nor that of Python. Its normalization follows an older version again, BERT's punctuation and marks one
that is older still. So each is asked code point by code point, and the answers are the tables.

Run: python tests/parity/record_unicode.py   (needs tokenizers and libutf8proc.so.2)
"""
import ctypes
import pathlib

from tokenizers import Regex, normalizers, pre_tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
MARKER = "\x01"
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
SCRIPTS = "Arabic Bopomofo Cyrillic Greek Han Hangul Hebrew Hiragana Katakana Latin Thai".split()
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def matching(pattern):
    """Code points that the one-character pattern matches."""
    text = "".join(map(chr, CODE_POINTS))
    out = normalizers.Replace(Regex(pattern), MARKER).normalize_str(text)
    assert len(out) == len(text)
    marker_too = normalizers.Replace(Regex(pattern), "x").normalize_str(MARKER) == "x"
    return [c for c, o in zip(CODE_POINTS, out) if o == MARKER and (c != ord(MARKER) or marker_too)]


def ranges(code_points):
    result = []
    for c in code_points:
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def utf8proc():
    library = ctypes.CDLL("libutf8proc.so.2")
    for form in FORMS:
        function = getattr(library, f"utf8proc_{form}")
        function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return library


def unknown_to(forms):
    """Code points that utf8proc (Unicode 15) normalises and the crate inside `tokenizers` leaves alone."""
    library, libc = utf8proc(), ctypes.CDLL(None)
    libc.free.argtypes = [ctypes.c_void_p]

    def reference(form, text):
        pointer = getattr(library, f"utf8proc_{form}")(text.encode())
        result = ctypes.string_at(pointer).decode()
        libc.free(pointer)
        return result

    unknown = set()
    for form in forms:
        theirs = getattr(normalizers, form)()
        for c in CODE_POINTS[1:]:
            ch = chr(c)
            contexts = (ch, "a" + ch + "\u0323\u0301", "a\u0301" + ch, ch + "\u0301")
            if any(theirs.normalize_str(t) != reference(form, t) for t in contexts):
                unknown.add(c)
                unknown.update(map(ord, reference("NFD", ch)) if theirs.normalize_str(ch) == ch and form == "NFD" else ())
    return sorted(unknown)


def removed_by(normalizer):
    return [c for c in CODE_POINTS if normalizer.normalize_str("a" + chr(c) + "b") == "ab"]


def apart_by(pre_tokenizer):
    """Code points that this pre-tokenizer does not leave in one piece with letters."""
    return [c for c in CODE_POINTS if len(pre_tokenizer.pre_tokenize_str("a" + chr(c) + "a")) != 1]


def bert(**what):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **what})


def other_lower():
    """Characters whose lower case in `tokenizers` is not the one character that utf8proc knows."""
    library, lower = utf8proc(), normalizers.Lowercase()
    return [(c, t) for c in CODE_POINTS if (t := lower.normalize_str(chr(c))) != chr(library.utf8proc_tolower(c))]


def long_case_mappings(method):
    """Characters whose upper or lower case is several characters (SpecialCasing.txt, without conditions)."""
    return [(c, getattr(chr(c), method)()) for c in CODE_POINTS if len(getattr(chr(c), method)()) > 1]


def c_string(text):
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'


def main():
    lines = [
        "// Written by tests/parity/record_unicode.py; not to be edited.",
        "#pragma once",
        "",
        "#include <string_view>",
        "",
        "namespace attune::unicode_tables {",
        "",
        "struct Range {",
        "  char32_t first, last;",
        "};",
        "struct CategoryRange {",
        "  char32_t first, last;",
        "  char category[3];",
        "};",
        "struct Mapping {",
        "  char32_t from;",
        "  std::string_view to;  // UTF-8",
        "};",
        "",
        "// clang-format off",
    ]

    def emit(name, comment, kind, items):
        lines.append(f"// {comment}")
        lines.append(f"inline constexpr {kind} {name}[] = {{")
        row = ""
        for item in items:
            if len(row) + len(item) > 116:
                lines.append(row.rstrip())
                row = ""
            row += item + ", "
        lines.append(row.rstrip())
        lines.append("};")
        lines.append("")

    pairs = lambda points: [f"{{0x{a:x}, 0x{b:x}}}" for a, b in ranges(points)]
    categories = {k: matching(rf"\p{{{k}}}") for k in CATEGORIES}
    rows = sorted((a, b, k) for k, points in categories.items() for a, b in ranges(points))
    emit("categories", "General categories of tokenizers' regular expressions; what is in none is Cn or Cs", "CategoryRange",
         [f'{{0x{a:x}, 0x{b:x}, "{k}"}}' for a, b, k in rows])
    emit("blanks", r"\s", "Range", pairs(matching(r"\s")))
    emit("words", r"\w", "Range", pairs(matching(r"\w")))
    for script in SCRIPTS:
        emit("script_" + script.lower(), rf"\p{{{script}}}", "Range", pairs(matching(rf"\p{{{script}}}")))
    numbers = set().union(*(categories[k] for k in ("Nd", "Nl", "No")))
    emit("digits_more", r"what Digits takes for a number besides \p{N}", "Range",
         pairs(sorted(set(apart_by(pre_tokenizers.Digits(individual_digits=True))) - numbers)))
    emit("punctuation", "Punctuation, BertPreTokenizer", "Range", pairs(apart_by(pre_tokenizers.Punctuation())))
    emit("bert_removed", "BertNormalizer.clean_text leaves them out", "Range", pairs(removed_by(bert(clean_text=True))))
    emit("bert_accents", "BertNormalizer.strip_accents", "Range", pairs(removed_by(bert(strip_accents=True))))
    emit("accents", "StripAccents", "Range", pairs(removed_by(normalizers.StripAccents())))
    emit("unknown_to_nfc", "what tokenizers' NFC and NFD take for unassigned and Unicode 15 does not", "Range",
         pairs(unknown_to(("NFC", "NFD"))))
    emit("unknown_to_nfkc", "and its NFKC and NFKD", "Range", pairs(unknown_to(("NFKC", "NFKD"))))
    emit("other_lower", "Lowercase, where utf8proc differs", "Mapping",
         [f"{{0x{c:x}, {c_string(t)}}}" for c, t in other_lower()])
    emit("long_upper", "str.upper() of several characters", "Mapping",
         [f"{{0x{c:x}, {c_string(t)}}}" for c, t in long_case_mappings("upper")])
    emit("long_lower", "str.lower() of several characters", "Mapping",
         [f"{{0x{c:x}, {c_string(t)}}}" for c, t in long_case_mappings("lower")])
    emit("long_title", "str.title() of several characters", "Mapping",
         [f"{{0x{c:x}, {c_string(t)}}}" for c, t in long_case_mappings("title")])
    lines += ["// clang-format on", "}  // namespace attune::unicode_tables"]
    (ROOT / "src/attune/text/unicode_tables.h").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
