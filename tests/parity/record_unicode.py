"""Writes src/attune/text/unicode_tables.h: what the `tokenizers` package and Python know of Unicode.

The pre-tokenizers' regular expressions see letters, numbers and blanks of the Unicode version built into `tokenizers`,
which is neither that of Debian's utf8proc nor that of Python. Its NFC follows an older version again. So both are asked
code point by code point, and the answers are the tables.

Run: python tests/parity/record_unicode.py   (needs tokenizers and libutf8proc.so.2)
"""
import ctypes
import pathlib

from tokenizers import Regex, normalizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
MARKER = "\x01"


def matching(pattern):
    """Code points that the one-character pattern matches."""
    text = "".join(map(chr, CODE_POINTS))
    out = normalizers.Replace(Regex(pattern), MARKER).normalize_str(text)
    assert len(out) == len(text)
    return [c for c, o in zip(CODE_POINTS, out) if o == MARKER and c != ord(MARKER)]


def ranges(code_points):
    result = []
    for c in code_points:
        if result and result[-1][1] == c - 1:
            result[-1][1] = c
        else:
            result.append([c, c])
    return result


def unknown_to_nfc():
    """Code points that utf8proc (Unicode 15) normalises and the crate inside `tokenizers` leaves alone."""
    library = ctypes.CDLL("libutf8proc.so.2")
    library.utf8proc_NFC.restype = ctypes.c_void_p
    library.utf8proc_NFC.argtypes = [ctypes.c_char_p]
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [ctypes.c_void_p]

    def reference(text):
        pointer = library.utf8proc_NFC(text.encode())
        result = ctypes.string_at(pointer).decode()
        libc.free(pointer)
        return result

    nfc = normalizers.NFC()
    unknown = []
    for c in CODE_POINTS[1:]:
        ch = chr(c)
        contexts = (ch, "a" + ch + "\u0323\u0301", "a\u0301" + ch, ch + "\u0301")
        if any(nfc.normalize_str(t) != reference(t) for t in contexts):
            unknown.append(c)
    return unknown


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
    emit("letters", r"\p{L} of tokenizers' regular expressions", "Range", pairs(matching(r"\p{L}")))
    emit("numbers", r"\p{N}", "Range", pairs(matching(r"\p{N}")))
    emit("blanks", r"\s", "Range", pairs(matching(r"\s")))
    emit("unknown_to_nfc", "what tokenizers' NFC takes for unassigned and Unicode 15 does not", "Range",
         pairs(unknown_to_nfc()))
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
