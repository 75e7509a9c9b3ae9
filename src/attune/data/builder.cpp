#include "attune/data/builder.h"

#include "attune/data/native.h"

namespace attune {

template <class Item>
std::int32_t DatasetBuilder::enter(std::vector<Item>& items, const Item& item, char kind) {
  const auto [place, fresh] = known_.try_emplace(kind + to_json(item).str(), static_cast<std::int32_t>(items.size()));
  if (fresh) items.push_back(item);
  return place->second;
}

DatasetBuilder::DatasetBuilder(const Dataset& tables) {
  for (const Annotator& item : tables.annotators) annotator(item);
  for (const Scale& item : tables.scales) scale(item);
  for (const Rubric& item : tables.rubrics) rubric(item);
  for (const Source& item : tables.sources) source(item);
}

std::int32_t DatasetBuilder::annotator(const Annotator& item) { return enter(dataset_.annotators, item, 'a'); }
std::int32_t DatasetBuilder::scale(const Scale& item) { return enter(dataset_.scales, item, 's'); }
std::int32_t DatasetBuilder::rubric(const Rubric& item) { return enter(dataset_.rubrics, item, 'r'); }
std::int32_t DatasetBuilder::source(const Source& item) { return enter(dataset_.sources, item, 'o'); }

void DatasetBuilder::adopt(Record record, const Dataset& from) {
  for (Node& node : record.nodes) {
    if (node.source >= 0) node.source = source(from.sources[node.source]);
  }
  for (Feedback& feedback : record.feedback) {
    if (feedback.annotator >= 0) feedback.annotator = annotator(from.annotators[feedback.annotator]);
    if (feedback.rubric >= 0) feedback.rubric = rubric(from.rubrics[feedback.rubric]);
    if (auto* rating = std::get_if<Rating>(&feedback.what); rating != nullptr && rating->scale >= 0) {
      rating->scale = scale(from.scales[rating->scale]);
    }
  }
  add(std::move(record));
}

}  // namespace attune
