// The components of tokenizer.json as steps of a pipeline. Everything is read or refused by its name, nothing skipped.
#pragma once

#include <vector>

#include "attune/text/json_fields.h"
#include "attune/text/pipeline/decoders.h"
#include "attune/text/pipeline/normalizers.h"
#include "attune/text/pipeline/splitters.h"

namespace attune {

// One component, those of a Sequence one by one, with the field where it stands.
struct Component {
  const Json* json = nullptr;
  std::string field = {};
  std::string type = {};
};
// `key`: what a Sequence of this sort calls its members ("normalizers"). Nothing for null. Throws FormatError.
std::vector<Component> components_of(const JsonFields& fields, const Json* root, const std::string& field,
                                     std::string_view key);

normalizers::Step normalizer_of(const JsonFields& fields, const Component& component);
// `as_characters`: what ByteLevel leaves (see splitters::byte_level).
splitters::Step splitter_of(const JsonFields& fields, const Component& component, bool as_characters);
decoders::Step decoder_of(const JsonFields& fields, const Component& component);

}  // namespace attune
