// The normalizers of tokenizer.json: steps that rewrite a text before it is split. Each is what the `tokenizers`
// package does under the same name; sources of the bytes stay known.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "attune/text/pipeline/mapped_text.h"
#include "attune/text/pipeline/pattern.h"
#include "attune/text/unicode.h"

namespace attune::normalizers {

using Step = std::function<MappedText(MappedText)>;

Step form(NormalForm form);
Step lowercase();
Step strip_accents();
Step strip(bool left, bool right);  // blanks at the ends
Step replace(Pattern pattern, std::string with);
Step prepend(std::string what);  // before a text that is not empty
Step nmt();                      // control characters away, odd blanks to ' '

struct Bert {
  bool clean_text = true;
  bool handle_chinese_chars = true;        // blanks around ideographs
  std::optional<bool> strip_accents = {};  // as lowercase unless given
  bool lowercase = true;
};
Step bert(const Bert& options);

}  // namespace attune::normalizers
