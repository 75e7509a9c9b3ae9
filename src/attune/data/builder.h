// Building a Dataset: annotators, scales, rubrics and sources are entered once however often they are named.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "attune/data/record.h"

namespace attune {

class DatasetBuilder {
 public:
  DatasetBuilder() = default;
  explicit DatasetBuilder(const Dataset& tables);  // starts with another's tables, without its records
  void add(Record record) { dataset_.records.push_back(std::move(record)); }
  std::int32_t annotator(const Annotator& annotator);  // index of an equal one, added if new
  std::int32_t scale(const Scale& scale);
  std::int32_t rubric(const Rubric& rubric);
  std::int32_t source(const Source& source);

  // Renumbers a record of another dataset to this one's tables and adds it.
  void adopt(Record record, const Dataset& from);

  const Dataset& dataset() const { return dataset_; }
  Dataset finish() { return std::move(dataset_); }

 private:
  template <class Item>
  std::int32_t enter(std::vector<Item>& items, const Item& item, char kind);
  Dataset dataset_;
  std::unordered_map<std::string, std::int32_t> known_;  // kind and content -> index
};

}  // namespace attune
