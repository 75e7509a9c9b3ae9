// A diagnostic: what a preference loss did to a model, or would do to it. One file of this folder each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/config/fields.h"
#include "attune/config/part.h"
#include "attune/generate/engine.h"
#include "attune/model/language_model.h"
#include "attune/policy/token_record.h"
#include "attune/reports/report.h"

namespace attune {

// A model that is loaded when it is asked for: no more are in memory than a diagnostic looks at together.
struct ModelSource {
  std::string name = {};  // as the user named it
  std::function<LanguageModel()> load = {};
};

// One data set, encoded.
struct EncodedSplit {
  std::string name = {};
  std::vector<TokenRecord> records = {};
};

// What is looked at.
struct Subject {
  std::vector<ModelSource> models = {};       // in the order of the command line, which is that of training
  std::optional<ModelSource> reference = {};  // what training started from
  std::vector<EncodedSplit> data = {};
  std::int64_t batch_tokens = 4096;  // of one forward pass
  TextInterface text = {};           // of the models' tokenizer
};

// How many of each a diagnostic can look at; checked before anything is read.
struct Demands {
  std::size_t least_models = 1, most_models = 1;
  std::size_t least_data = 1, most_data = 1;
  bool reference = false;  // refused without one
};

class Diagnostic {
 public:
  virtual ~Diagnostic() = default;
  virtual Demands demands() const { return {}; }
  // The page and its JSON. Throws DataError when the data has nothing of the kind that is looked at.
  virtual ReportPage run(const Subject& subject) const = 0;
};

template <>
inline constexpr std::string_view part_kind<Diagnostic> = "diagnostic";

}  // namespace attune
