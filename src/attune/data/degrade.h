// Graded variants of answers, made by taking more and more of their key content away: labels of quality for free
// (SPO's self-supervised degrees).
#pragma once

#include <string>
#include <string_view>

#include "attune/data/record.h"

namespace attune {

// The text without the `share` (in [0, 1]) of its words that carry most content: long words first, equally long ones in
// order. Larger shares take away all that smaller ones do. Blanks around a word go with it; what is no word stays.
std::string without_key_content(std::string_view text, double share);

// Adds, for every answer that was compared and is a single message, `levels` variants with shares 1 / (levels + 1),
// ..., levels / (levels + 1), and labels all of them with their degree (Label "degree"; 0: the whole answer). A variant
// that reads like the one before it is left out.
void add_degrees(Record& record, int levels);

}  // namespace attune
