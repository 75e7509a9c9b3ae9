"""One picture: where a step's time goes, a bar for every side, as plain SVG."""

import html

WIDTH, LEFT, BAR, GAP, KEY = 760, 130, 26, 18, 20
INK, FRAME = "#4a5568", "#cbd5e0"
COLOURS = ["#2b6cb0", "#dd6b20", "#2f855a", "#805ad5", "#b7791f", "#c53030", "#319795", "#718096",
           "#d53f8c", "#4c51bf", "#9c4221", "#68d391"]


def colours_of(bars):
    """Every part its colour, the same in all bars, in order of appearance."""
    names = list(dict.fromkeys(name for _, parts in bars for name in parts))
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}" fill="{INK}">{html.escape(words)}</text>'


def bar(y, label, parts, scale, colours):
    yield text(LEFT - 8, y + BAR * 0.68, label, "end")
    x = LEFT
    for name, seconds in parts.items():
        width = seconds * scale
        tip = html.escape(f"{name}: {seconds:.3g} s")
        yield f'<rect x="{x:.4g}" y="{y}" width="{width:.4g}" height="{BAR}" fill="{colours[name]}"><title>{tip}</title></rect>'
        x += width
    yield text(x + 6, y + BAR * 0.68, f"{sum(parts.values()):.3g} s")


def key(y, colours):
    """Names of the parts in lines that fit."""
    x = LEFT
    for name, colour in colours.items():
        width = 26 + 7 * len(name)
        if x + width > WIDTH:
            x, y = LEFT, y + KEY
        yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
        yield text(x + 17, y, name)
        x += width
    yield y


def step_picture(title, bars):
    """SVG of [(label, {part: seconds}), ...], all on one scale."""
    colours = colours_of(bars)
    longest = max(sum(parts.values()) for _, parts in bars)
    scale = (WIDTH - LEFT - 70) / longest
    lines = [text(LEFT, 18, title)]
    y = 32
    for label, parts in bars:
        lines += bar(y, label, parts, scale, colours)
        y += BAR + GAP
    *names, bottom = key(y + 8, colours)
    height = bottom + 12
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" font-family="sans-serif" font-size="12"><title>{html.escape(title)}</title>')
    frame = f'<line x1="{LEFT}" y1="26" x2="{LEFT}" y2="{y - GAP + 6}" stroke="{FRAME}"/>'
    return "\n".join([head, frame, *lines, *names, "</svg>"]) + "\n"
