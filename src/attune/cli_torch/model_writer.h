// The writer that operators over data ask for: a model folder, its tokenizer and the generate engine.
#pragma once

#include <memory>

#include "attune/curate/writer.h"

namespace attune {

// Reads the tokenizer and the model's config at once, its weights with the first request. Throws MissingInput,
// FormatError.
std::shared_ptr<const Writer> open_model_writer(const WriterSettings& settings);

}  // namespace attune
