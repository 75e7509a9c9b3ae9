"""Renders chat templates with jinja2 as transformers does, on conversations written here, and records the results.

Templates of the shared data folder are read in place: only hashes of their output are recorded (FNV-1a over the text's
bytes, and over the 0/1 mask of bytes inside {% generation %}), or that rendering fails. Templates written here, which
show each construct of the language, are recorded with their output.

Run: python tests/parity/record_templates.py   (needs transformers, jinja2, and ../shared/data/chat_templates)
"""
import datetime
import hashlib
import json
import pathlib

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = ROOT.parent / "shared" / "data" / "chat_templates"
OUT = ROOT / "tests" / "parity" / "recorded"
DAY = datetime.datetime(2026, 1, 2, 3, 4, 5)


def fnv1a(words):
    value = 0xCBF29CE484222325
    for word in words:
        for byte in int(word).to_bytes(4, "little"):
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def weather(name="get_weather"):
    return {"type": "function", "function": {
        "name": name, "description": "Weather of a city, \"now\" & later <soon>",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "Name of the city"},
            "days": {"type": "integer", "description": "How far ahead"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "description": "Unit"},
            "spots": {"type": "array", "items": {"type": "string"}, "description": "Where exactly"}},
            "required": ["city"]},
        "return": {"type": "string", "description": "Words"}}}


def call(arguments, name="get_weather", identifier="abcdef012"):
    return {"type": "function", "id": identifier, "function": {"name": name, "arguments": arguments}}


def conversations():
    user, other = {"role": "user", "content": "Hello, wörld! 你好 🦙"}, {"role": "user", "content": "  And then?\n"}
    answer, second = {"role": "assistant", "content": "Hi there."}, {"role": "assistant", "content": "\n Then we see. \n\n"}
    system = {"role": "system", "content": "You are terse.\nVery."}
    thought = {"role": "assistant", "content": "<think>\nShort thought.\n</think>\n\nThe answer is 4."}
    reasoned = {"role": "assistant", "content": "The answer is 4.", "reasoning_content": "Two and two."}
    called = {"role": "assistant", "content": "", "tool_calls": [call({"city": "Köln", "days": 2, "spots": ["a", "b"], "deep": {"x": None, "y": True, "z": 1.5}})]}
    twice = {"role": "assistant", "content": "Looking.", "tool_calls": [call({"city": "Rome"}), call({"city": "Oslo"}, identifier="xyzxyz999")]}
    text_called = {"role": "assistant", "content": None, "tool_calls": [call("{\"city\": \"Bonn\"}")]}
    result, late = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdef012", "content": "{\"sky\": \"blue\"}"}, {"role": "tool", "name": "get_weather", "tool_call_id": "xyzxyz999", "content": "snow"}
    parts = {"role": "user", "content": [{"type": "text", "text": "Look at "}, {"type": "text", "text": "this."}]}
    picture = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}
    tools = [weather(), weather("get_climate")]
    messages = [
        [user], [user, answer], [system, user, answer], [user, answer, other, second], [system, user, answer, other, second, user],
        [user, thought], [user, thought, other, answer], [system, user, reasoned, other, reasoned], [user, reasoned],
        [user, called, result, answer], [system, user, called, result, answer, other], [user, twice, result, late, answer],
        [user, text_called, result], [parts, answer], [picture, answer], [answer, user], [user, user], [system], [],
        [user, {"role": "assistant", "content": "A <|im_end|> inside & <tags>."}, other],
        [{"role": "developer", "content": "Be kind."}, user, answer],
        [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
        [user, {"role": "assistant", "content": [{"type": "text", "text": "In parts."}]}, other],
        [{"role": "system", "content": [{"type": "text", "text": "System parts."}]}, user, answer],
    ]
    result = []
    for chat in messages:
        result.append({"messages": chat})
        result.append({"messages": chat, "add_generation_prompt": True})
        result.append({"messages": chat, "tools": tools, "add_generation_prompt": True})
    for extra in ({"enable_thinking": False}, {"enable_thinking": True}, {"thinking": True}, {"date_string": "1 May 2026"}, {"tools_in_user_message": False},
                  {"documents": [{"title": "One", "text": "First text."}]}):
        for chat in ([user], [system, user, reasoned, other], [user, called, result_of(tools), answer]):
            result.append({"messages": chat, "add_generation_prompt": True, **extra})
            result.append({"messages": chat, "tools": tools, **extra})
    return result


def result_of(_):
    return {"role": "tool", "name": "get_weather", "tool_call_id": "abcdef012", "content": "rain"}


SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def compiled(source):
    template = chat_template_utils._compile_jinja_template(source)
    template.environment.globals["strftime_now"] = lambda form: DAY.strftime(form)
    return template


def render(template, case):
    """Text and byte mask, or None when it fails."""
    case = dict(case)
    messages = [{k: v for k, v in m.items() if v is not None} for m in case.pop("messages")]
    messages = chat_template_utils._alias_reasoning_fields(messages)
    add, tools, documents = case.pop("add_generation_prompt", False), case.pop("tools", None), case.pop("documents", None)
    try:
        text, spans = chat_template_utils._render_with_assistant_indices(
            compiled_template=template, messages=messages, tools=tools, documents=documents, add_generation_prompt=add, **{**SPECIAL, **case})
    except Exception as error:  # whatever Python raises: the template fails
        return "generator" if "generator" in str(error) else None  # attune's map() and select() make lists there
    inside = [0] * len(text)
    for begin, end in spans:
        inside[begin:end] = [1] * (end - begin)
    return text, [flag for c, flag in zip(text, inside) for _ in c.encode()]


def record_shared(cases):
    templates = {}
    for path in sorted(TEMPLATES.rglob("*.jinja")):
        template = compiled(path.read_text(encoding="utf-8"))
        rendered = [render(template, case) for case in cases]
        templates[str(path.relative_to(TEMPLATES))] = {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "text": [fnv1a(r[0].encode()) if isinstance(r, tuple) else r for r in rendered],
            "mask": [fnv1a(r[1]) if isinstance(r, tuple) else r for r in rendered],
        }
    return templates


def record_own(cases):
    """Every own template of tests/tables/templates, on a few conversations."""
    own = {}
    for path in sorted((ROOT / "tests" / "tables" / "templates").glob("*.jinja")):
        template = compiled(path.read_bytes().decode())
        rendered = [render(template, case) for case in cases]
        own[path.name] = [{"text": r[0], "mask": fnv1a(r[1])} if r else None for r in rendered]
    return own


def record_tokenized(cases):
    """Ids and masks of transformers' apply_chat_template with the small tokenizer of record_tokenizers.py."""
    files = json.loads((OUT / "tokenizers.json").read_text())["tokenizers"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(files["gpt2"])), bos_token="<|begin|>", eos_token="<|end|>")
    tokenized = {}
    for name in ("chatml.jinja", "strict.jinja"):
        source = (ROOT / "tests" / "tables" / "templates" / name).read_text()
        tokenized[name] = []
        for case in cases:
            case = dict(case)
            try:
                out = tokenizer.apply_chat_template(case.pop("messages"), chat_template=source, return_dict=True, return_assistant_tokens_mask=True, **case)
                tokenized[name].append({"ids": out["input_ids"], "mask": out["assistant_masks"]})
            except Exception:
                tokenized[name].append(None)
    return tokenized


def record_token_masks(cases):
    """A hash of ids and masks of transformers, for the shared templates with {% generation %} and three kinds of tokenizer."""
    masks = {}
    for family in ("cl100k", "llama2", "mistral-v3"):
        file = json.loads((OUT / "pipelines" / f"{family}.json").read_text())["tokenizer"]
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(file)), bos_token="</s>", eos_token="</s>")
        masks[family] = {}
        for path in sorted(TEMPLATES.rglob("*.jinja")):
            source = path.read_text(encoding="utf-8")
            if "generation %}" not in source:
                continue
            compiled(source)  # transformers keeps it, with the day that is set there
            hashes = []
            for case in cases:
                case = dict(case)
                messages = [{k: v for k, v in m.items() if v is not None} for m in case.pop("messages")]
                try:
                    out = tokenizer.apply_chat_template(messages, chat_template=source, return_dict=True, return_assistant_tokens_mask=True, **case)
                    hashes.append([fnv1a(out["input_ids"]), fnv1a(out["assistant_masks"])])
                except Exception:  # the template refuses the conversation
                    hashes.append(None)
            masks[family][str(path.relative_to(TEMPLATES))] = hashes
    return masks


def main():
    cases = conversations()
    (OUT / "token_masks.json").write_text(json.dumps({"cases": cases[::4], "families": record_token_masks(cases[::4])}, ensure_ascii=False, separators=(",", ":")) + "\n")
    few = [cases[i] for i in (0, 1, 3, 7, 9, 13, 57, 29)] + [{"messages": [], "add_generation_prompt": True}]
    (OUT / "templates.json").write_text(json.dumps(
        {"special": SPECIAL, "cases": cases, "templates": record_shared(cases), "own_cases": few, "own": record_own(few), "tokenized": record_tokenized(few[:-1])},
        ensure_ascii=False, separators=(",", ":")) + "\n")

    lines = (ROOT / "tests" / "tables" / "expressions.txt").read_text(encoding="utf-8").splitlines()
    snippets = [line for line in lines if line and not line.startswith("## ")]
    context = {"d": {"a": 1, "b": [1, 2, {"c": "x"}], "items": 3, "e": None}, "l": [3, 1, 2], "s": "Hello World", "n": None,
               "u": "ünï ΑΣ 中文 ß", "f": 2.5, "people": [{"name": "Bo", "age": 3}, {"name": "al", "age": 5}, {"name": "Cy"}], "t": True}
    results = []
    for snippet in snippets:
        try:
            results.append(compiled(snippet.replace("\\n", "\n")).render(**context))
        except Exception:
            results.append(None)
    (OUT / "expressions.json").write_text(json.dumps({"context": context, "snippets": snippets, "results": results}, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
