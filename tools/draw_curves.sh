#!/usr/bin/env bash
# Makes the pictures of docs/reading-your-curves.md: one healthy preference run and three sick ones on the demo's world,
# drawn by `attune compare`. About four minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
attune=build/attune
runs=${1:-runs/curves}
mkdir -p "$runs"
[ -d "$runs/world/data" ] || $attune demo --out "$runs/world" --quiet steps=2 > /dev/null

common="tokenizer: $runs/world/data/tokenizer.json
batch: {records: 32, tokens: 4096}
samples: {prompts: 0}
schedule: {warmup: 0.05, decay: cosine}
seed: 0"
cat > "$runs/sft.yaml" << EOF
model: {config: $runs/world/data/config.json, init: random}
$common
data: {train: $runs/world/data/demonstrations.jsonl}
optimizer: {adamw: {lr: 3.0e-3, weight_decay: 0.01}}
epochs: 8
out: $runs/sft
EOF
[ -d "$runs/sft/model" ] || $attune train sft "$runs/sft.yaml" --quiet > /dev/null

# preference NAME OBJECTIVE LEARNING_RATE MORE_OF_DATA
preference() {
  cat > "$runs/$1.yaml" << EOF
model: $runs/sft/model
$common
data: {train: $runs/world/data/votes.jsonl, eval: $runs/world/data/held-out-votes.jsonl$4}
objective: $2
optimizer: {adamw: {lr: $3}}
epochs: 3
eval_every: 6
out: $runs/$1
EOF
  rm -rf "${runs:?}/$1"
  $attune train dpo "$runs/$1.yaml" --quiet > /dev/null || echo "$1 stopped early, as it may"
}
preference healthy '[{dpo: {beta: 0.1}}, {sft: {weight: 0.5}}]' 4.0e-4 ''
preference displaced '{dpo: {beta: 0.1}}' 1.0e-3 ''
preference noisy-labels '[{dpo: {beta: 0.1}}, {sft: {weight: 0.5}}]' 4.0e-4 ', flip: 0.5'
preference too-fast '[{dpo: {beta: 0.1}}, {sft: {weight: 0.5}}]' 2.0e-2 ''

$attune compare "$runs/healthy" "$runs/displaced" "$runs/noisy-labels" "$runs/too-fast" --html "$runs/compare.html"
python3 - "$runs/compare.html" docs/curves << 'EOF'
import pathlib, re, sys
page, folder = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
folder.mkdir(exist_ok=True)
wanted = {"eval_loss": "eval-loss", "rewards/margins": "margins", "eval_rewards/accuracies": "accuracies",
          "logps/chosen": "logps-chosen", "grad_norm": "grad-norm"}
for svg in re.findall(r"<svg.*?</svg>", page, re.S):
    for metric, name in wanted.items():
        if f">{metric}<" in svg:
            if "xmlns" not in svg:
                svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
            (folder / f"{name}.svg").write_text(svg + "\n")
EOF
