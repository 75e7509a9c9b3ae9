#include "attune/data/write.h"

#include <memory>

#include "attune/base/errors.h"
#include "attune/data/format.h"
#include "attune/data/row_sink.h"

namespace attune {

WriteResult write_dataset(Fs& fs, const Path& path, const Dataset& dataset, const WriteOptions& options) {
  const auto& part = format_named(options.format);
  const auto format = part.part->make();
  LossCheck check(*format, dataset);
  WriteResult result;
  const auto sink = create_rows(fs, path);
  if (const std::string header = format->header(dataset); !header.empty()) sink->add(header);
  for (std::size_t i = 0; i < dataset.records.size(); ++i) {
    const Record& record = dataset.records[i];
    if (const auto field = check.lost(record)) {
      const std::string id = record.id.empty() ? std::to_string(i) : record.id;
      if (!options.lossy) {
        throw DataError({.file = path.string(), .record = id, .field = *field},
                        "something that " + std::string(part.path) + " cannot carry", "",
                        "choose another format, or add --lossy to leave it out");
      }
      if (result.lossy_records++ == 0) result.first_loss = *field + " of record " + id;
    }
    for (const std::string& row : format->write(record, dataset)) {
      sink->add(row);
      ++result.rows;
    }
    ++result.records;
  }
  sink->finish();
  return result;
}

}  // namespace attune
