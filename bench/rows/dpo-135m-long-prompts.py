"""The row dpo-135m over those HH-RLHF pairs whose prompt is at least four times as long as the longer answer."""

import importlib

TARGET = {"best": 3.5, "shipped": 10, "limit": 0.70}


def long_prompt(pair):
    prompt, *answers = pair.lengths
    return prompt >= 4 * max(answers)


def measure(bench):
    return importlib.import_module("rows.dpo-135m").measure(bench, "DPO step, 135 M, long prompts", long_prompt, TARGET)
