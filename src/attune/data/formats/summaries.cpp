#include "attune/data/formats/summaries.h"

namespace attune::formats {

void text_to_summarise(Entry& row, Draft& draft) {
  const bool writing = !draft.reading();
  std::string extra = "";
  if (writing && !draft.record().nodes.empty()) extra = draft.record().nodes[0].message.extra_json;
  row.object("info", [&](Entry& info) {
    // Of the two kinds of text, the row's other one is missing or null.
    const bool article = writing ? raw_member(extra, "site").size() > 0 && raw_member(extra, "site") != "null"
                                 : info.in("post") == nullptr && info.in("article") != nullptr;
    draft.bare_question(info, article ? "article" : "post");
    info.rest(extra);
  });
  if (!writing && !draft.record().nodes.empty()) draft.filled().nodes[0].message.extra_json = std::move(extra);
}

std::int32_t summary_text(Entry& summary, Draft& draft) {
  const std::int32_t answer = draft.bare_answer(summary, "text");
  draft.speaker(summary, "policy", answer);
  return answer;
}

void summary_rest(Entry& summary, std::int32_t answer, Draft& draft) {
  const Record& record = draft.record();
  if (answer >= std::ssize(record.completions)) return;
  const auto last = static_cast<std::size_t>(record.completions[static_cast<std::size_t>(answer)].last);
  std::string extra = draft.reading() ? "" : record.nodes[last].message.extra_json;
  summary.rest(extra);
  if (draft.reading()) draft.filled().nodes[last].message.extra_json = std::move(extra);
}

}  // namespace attune::formats
