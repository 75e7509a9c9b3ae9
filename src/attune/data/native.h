// The native form: every field of a Dataset as JSON, and back. Unset fields are left out, so that rows stay short.
// docs/formats says what the keys mean; they are those of record.h.
#pragma once

#include <string>

#include "attune/base/json.h"
#include "attune/data/format.h"
#include "attune/data/record.h"

namespace attune {

Json to_json(const Annotator& annotator);
Json to_json(const Scale& scale);
Json to_json(const Rubric& rubric);
Json to_json(const Source& source);

// A record as one row. Annotators, scales, rubrics and sources are numbers into the tables of the header row (a reader
// also takes an annotator's id); extra columns stand under "extra" as the bytes they were.
std::string to_native(const Record& record);
std::string native_header(const Dataset& dataset);

// Reads what to_native wrote; problems go to the context. An annotator's id that the header lacks is a new annotator.
std::optional<Record> from_native(const Row& row, RowContext& context);
void read_native_header(const Json& row, RowContext& context);

}  // namespace attune
