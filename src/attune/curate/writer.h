// Answers of a model, for operators that need some. This folder knows no model: who runs the operators opens the
// writer (cli_torch/model_writer.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "attune/config/fields.h"
#include "attune/data/record.h"

namespace attune {

// Which model, and how it writes.
struct WriterSettings {
  std::string model = {};
  std::string tokenizer = {}, chat_template = {};
  std::int64_t max_tokens = 256;
  double temperature = 1;
  int top_k = 0;
  double top_p = 1, min_p = 0;
  int batch = 16;

  void describe(Fields& fields);
};

struct WriteRequest {
  Record prompt = {};  // no completions: all of its one conversation, or text, is to be answered
  int samples = 1;
  std::uint64_t seed = 0;
  std::int64_t id = 0;  // with the seed decides the draws, whatever else is asked for
};

struct Written {
  std::string text = {};
  bool whole = true;  // false: cut where the tokens ran out
  bool operator==(const Written&) const = default;
};

class Writer {
 public:
  virtual ~Writer() = default;
  // result[request][sample]; no samples where the prompt is empty or leaves the model no room for an answer.
  virtual std::vector<std::vector<Written>> write(std::span<const WriteRequest> requests) const = 0;
  virtual std::string model_hash() const = 0;  // of the weights, for the manifest
};

// Throws what is wrong with the settings' files before any data is read.
using OpenWriter = std::function<std::shared_ptr<const Writer>(const WriterSettings&)>;

}  // namespace attune
