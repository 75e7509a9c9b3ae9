#!/usr/bin/env bash
# Holds attune against the field's own code, live: records everything anew from pinned versions, checks adapters in PEFT
# itself, and runs the tests on what was recorded. A difference in tests/parity/recorded after this is a change of a peer.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=.venv-parity/bin/python
for generator in tests/parity/record_*.py; do
  echo "attune: $generator"
  "$python" "$generator"
done
"$python" tests/parity/check_peft.py build
ATTUNE_PARITY_TABLE=docs/measurements/families.json build/tests/test_model --gtest_brief=1 --gtest_filter='ParityTable.*'
python3 tools/write_family_table.py
python3 tools/write_family_table.py --print
python3 tests/run.py
