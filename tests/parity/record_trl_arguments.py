"""Records the arguments of TRL's trainers and their defaults, as words: what attune init --from-trl has to know.

    .venv-parity/bin/python tests/parity/record_trl_arguments.py
"""

import dataclasses
import json
import os
import pathlib
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import trl
from trl import DPOConfig, KTOConfig, ModelConfig, RewardConfig, ScriptArguments, SFTConfig
from trl.experimental.cpo import CPOConfig
from trl.experimental.orpo import ORPOConfig
from trl.scripts.utils import DatasetMixtureConfig

OUT = pathlib.Path(__file__).resolve().parent / "recorded" / "trl_arguments.json"
TRAINERS = {"sft": SFTConfig, "dpo": DPOConfig, "kto": KTOConfig, "reward": RewardConfig, "cpo": CPOConfig, "orpo": ORPOConfig}


def word(value):
    """A default as attune's table writes it: nothing for None and empty lists, words one after the other."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(word(item) for item in value)
    return str(getattr(value, "value", value))


def defaults(config):
    result = {}
    for field in dataclasses.fields(config):
        if not field.init:
            continue
        value = field.default
        if field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        result[field.name] = word(value)
    return result


def main():
    shared = {**defaults(ScriptArguments), **defaults(DatasetMixtureConfig), **defaults(ModelConfig)}
    trainers = {name: dict(sorted({**shared, **defaults(config)}.items())) for name, config in TRAINERS.items()}
    common = {key: value for key, value in trainers["sft"].items() if all(t.get(key) == value for t in trainers.values())}
    own = {name: {k: v for k, v in values.items() if k not in common} for name, values in trainers.items()}
    OUT.write_text(json.dumps({"trl": trl.__version__, "common": common, **own}, indent=1) + "\n")


if __name__ == "__main__":
    main()
