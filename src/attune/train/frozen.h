// Log-probabilities of frozen models, computed once for all records and kept on disk by content: the same weights on
// the same tokens are never scored twice, whatever objective, beta or epoch asks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "attune/base/files.h"
#include "attune/policy/layout.h"
#include "attune/policy/policy.h"
#include "attune/policy/token_record.h"

namespace attune {

// [record][completion], nats, summed over scored tokens.
using FrozenColumn = std::vector<std::vector<double>>;

// What a frozen model says of the data: of the answers, and of the same answers as KL probes where there are any.
struct FrozenColumns {
  FrozenColumn answers = {};
  FrozenColumn probes = {};
};

struct FrozenOptions {
  std::string role = "reference";
  std::string weights_hash = {};  // of the frozen model, adapter included
  std::int64_t tokens = 8192;     // per micro-batch
  // Of each record the one whose prompt its answers follow instead of their own (KL probes), -1: none of its answers
  // has a value. Empty: their own prompts.
  std::span<const std::int64_t> probe_prompts = {};
};

// The folder of caches: $ATTUNE_CACHE, else $XDG_CACHE_HOME/attune, else ~/.cache/attune.
Path cache_folder();

// Reads the column from the cache or scores every completion with `policy` and writes it there. A cache that cannot be
// read or written is a note in the log, never an error. Throws Interrupted when a stop was asked for before the end.
FrozenColumn frozen_column(Fs& fs, Policy& policy, std::span<const TokenRecord> records, const FrozenOptions& options);

// Puts the values of the batch's responses where a policy looks for them; nothing where one of them has none (whole
// sequences).
void attach(const FrozenColumns& columns, const std::string& role, Batch& batch);

// XXH3-128 over all ids, scored flags and prompts.
std::string content_hash(std::span<const TokenRecord> records);

}  // namespace attune
