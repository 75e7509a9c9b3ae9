// UKPConvArg1, tables: two arguments on a topic (the file's name) and which of them convinces more (Habernal and
// Gurevych 2016, ACL). The argument is what is judged; there is no prompt.
#include "attune/data/formats/two_way.h"

namespace attune::formats {
namespace {

constexpr Sign signs[] = {{"#id", Shape::text}, {"label", Shape::text}, {"a1", Shape::text}, {"a2", Shape::text}};

constexpr OutcomeWord words[] = {{"a1", Outcome::a}, {"a2", Outcome::b}, {"equal", Outcome::tie}};

void map(Entry& row, Draft& draft) {
  draft.identity(row, "#id");
  draft.answer(row, "a1");
  draft.answer(row, "a2");
  draft.verdict(row, "label", words);
}

class UkpConvArg1 final : public TwoWayFormat {
 public:
  UkpConvArg1() : TwoWayFormat("ukpconvarg1", signs, map) {}
};

}  // namespace

ATTUNE_PART(Format, ukpconvarg1, UkpConvArg1, .summary = "two arguments, one more convincing (UKPConvArg1, tables)");

}  // namespace attune::formats
