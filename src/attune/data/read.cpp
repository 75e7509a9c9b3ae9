#include "attune/data/read.h"

#include <glob.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "attune/base/errors.h"
#include "attune/base/random.h"
#include "attune/data/builder.h"
#include "attune/data/columnar.h"
#include "attune/data/format.h"
#include "attune/data/rows.h"

namespace attune {
namespace {

constexpr std::size_t rows_to_recognise = 64;

std::string shown(const Path& path) { return path == "-" ? "standard input" : path.string(); }

// A row parsed, or what is wrong with it.
struct ParsedRow {
  std::int64_t line = 0;
  std::optional<Row> row = {};
  RowProblem problem = {};
};

ParsedRow parse(const RawRow& raw, const std::string& file) {
  ParsedRow parsed{.line = raw.line, .problem = {.file = file, .row = raw.line}};
  if (raw.problem.empty()) {
    parsed.row = parse_row(raw.text, parsed.problem);
  } else {
    parsed.problem.found = raw.problem;
    parsed.problem.expected = raw.expected;
  }
  return parsed;
}

// Reads the rows of one file into a builder.
class FileReading {
 public:
  FileReading(const Path& path, DatasetBuilder& builder, const RecordVisitor& visit, ReadReport& report,
              const DatasetOptions& options)
      : path_(path), file_(shown(path)), builder_(builder), visit_(visit), report_(report), options_(options) {}

  // The name of the format, empty when the file has no row to tell it by.
  std::string run(const std::string& format_name) {
    try {
      read(format_name);
    } catch (const DamagedStream& damage) {
      throw DataError(
          {.file = file_, .offset = damage.offset},
          damage.found + " after " + std::to_string(good_) + (good_ == 1 ? " good record" : " good records"),
          damage.expected);
    }
    return name_;
  }

 private:
  void read(const std::string& format_name) {
    RowReader rows = open_rows(path_, options_.limits);
    RawRow raw;
    std::vector<ParsedRow> first;
    try {
      while (first.size() < rows_to_recognise && rows.next(raw)) first.push_back(parse(raw, file_));
    } catch (const DamagedStream&) {
      take_first(first, format_name);  // so that the good ones are counted
      throw;
    }
    take_first(first, format_name);
    while (rows.next(raw)) take(parse(raw, file_));
    if (first.empty()) ++report_.notes["an empty file"];
  }

  void take_first(std::vector<ParsedRow>& first, const std::string& format_name) {
    if (!format_name.empty()) {
      use(format_named(format_name));
    } else {
      std::vector<Row> rows;
      for (const ParsedRow& parsed : first) {
        if (parsed.row) rows.push_back(*parsed.row);
      }
      if (!rows.empty()) use(recognise(rows, file_));
    }
    for (ParsedRow& parsed : first) take(std::move(parsed));
  }

  void use(const PartRow<Format>& format) {
    name_ = format.path;
    format_ = format.part->make();
    context_.emplace(builder_, file_, name_);
  }

  void take(ParsedRow parsed) {
    if (!parsed.row) {
      ++report_.rows;
      return report_.add_bad_row({std::move(parsed.problem)});
    }
    if (!format_) use(recognise({*parsed.row}, file_));  // no row before it could be parsed
    context_->start_row(parsed.line);
    auto record = format_->read(*parsed.row, *context_);
    if (context_->failed()) {
      ++report_.rows;
      return report_.add_bad_row(context_->take_problems());
    }
    if (!record) return;  // a header
    ++report_.rows;
    for (const std::string& note : context_->notes()) ++report_.notes[note];
    ++good_;
    visit_(*std::move(record), builder_.dataset());
  }

  Path path_;
  std::string file_;
  DatasetBuilder& builder_;
  const RecordVisitor& visit_;
  std::int64_t good_ = 0;
  ReadReport& report_;
  const DatasetOptions& options_;
  std::string name_;
  std::unique_ptr<Format> format_;
  std::optional<RowContext> context_;
};

void read_part(const DataPart& part, DatasetBuilder& builder, const RecordVisitor& visit, ReadReport& report,
               const DatasetOptions& options) {
  std::string first_file, first_format;
  for (const Path& file : data_files(part.path)) {
    const std::string format = FileReading(file, builder, visit, report, options).run(part.format);
    if (format.empty()) continue;
    report.formats.push_back(format);
    if (first_format.empty()) {
      first_format = format;
      first_file = shown(file);
    } else if (format != first_format) {
      const auto columns = [](const std::string& name) { return format_named(name).part->make()->columns(); };
      throw DataError({.file = shown(file)}, "rows of the format " + format + " (columns " + columns(format) + ")",
                      first_format + " (columns " + columns(first_format) + ") as in " + first_file,
                      "keep one format a folder, or list the files");
    }
  }
}

// All records of a part, kept by the builder.
void collect_part(const DataPart& part, DatasetBuilder& builder, ReadReport& report, const DatasetOptions& options) {
  read_part(
      part, builder, [&](Record record, const Dataset&) { builder.add(std::move(record)); }, report, options);
}

std::size_t entries(const Dataset& tables) {
  return tables.annotators.size() + tables.scales.size() + tables.rubrics.size() + tables.sources.size();
}

}  // namespace

void DataPart::describe(Fields& fields) {
  fields.shorthand("path");
  fields("path", path,
         "a .jsonl, .json, .csv, .tsv (also .gz, .zst), .parquet or .arrow file, a folder or a pattern of such, or -")
      .required();
  fields("weight", weight, "share of the records used: 0.5 a random half, 2 each one twice").above(0);
  fields("limit", limit, "at most that many records, drawn at random; 0: all").at_least(0);
  fields("format", format, "name of the format; empty: recognised by content");
}

namespace {

// The files that a pattern with *, ? or [...] means, in the order of their names; empty when it is none or means none.
std::vector<Path> matches(const std::string& pattern) {
  std::vector<Path> files;
  if (pattern.find_first_of("*?[") == std::string::npos) return files;
  glob_t found = {};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return files;
}

// What the datasets library keeps beside its Arrow files.
bool is_description(const Path& file) {
  const Path name = file.filename();
  return name == "dataset_info.json" || name == "state.json" || name == "dataset_dict.json";
}

constexpr const char* kinds_read = ".jsonl, .json, .csv or .tsv, each also .gz or .zst, .parquet or .arrow";

}  // namespace

std::vector<Path> data_files(const std::string& path) {
  if (path == "-") return {path};
  const auto kind = [](const Path& file) {
    const Path name = compression_of(file) == Compression::none ? file : file.stem();
    return name.extension().string();
  };
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    std::vector<Path> files = matches(path);
    std::erase_if(files, [&](const Path& file) { return std::filesystem::is_directory(file, ignored); });
    if (!files.empty()) return files;
  }
  if (!std::filesystem::is_directory(path, ignored)) return {path};
  std::vector<Path> files;
  bool columns = false;
  for (const std::string& name : list_directory(path)) {
    const Path file = Path(path) / name;
    if (std::filesystem::is_directory(file, ignored)) continue;
    columns = columns || columnar_kind_named(file);
    for (const char* known : {".jsonl", ".json", ".csv", ".tsv"}) {
      if (kind(file) == known) files.push_back(file);
    }
    if (columnar_kind_named(file)) files.push_back(file);
  }
  if (columns) std::erase_if(files, is_description);
  if (files.empty()) throw MissingInput({.file = path}, "a folder without data files", kinds_read);
  return files;
}

std::vector<std::size_t> mix(std::size_t size, const DataPart& part, std::uint64_t seed, std::int64_t part_index) {
  std::vector<std::size_t> kept;
  const double whole = std::floor(part.weight);
  for (std::size_t i = 0; i < size; ++i) kept.insert(kept.end(), static_cast<std::size_t>(whole), i);
  const auto rest = static_cast<std::size_t>(std::llround((part.weight - whole) * static_cast<double>(size)));
  Random random(seed, "data/mix", {part_index});
  const auto drawn = random.permutation(static_cast<std::int64_t>(size));
  for (std::size_t i = 0; i < rest; ++i) kept.push_back(static_cast<std::size_t>(drawn[i]));
  if (part.limit > 0 && kept.size() > static_cast<std::size_t>(part.limit)) {
    const auto order = random.permutation(static_cast<std::int64_t>(kept.size()));
    std::vector<std::size_t> chosen;
    for (std::int64_t i = 0; i < part.limit; ++i) chosen.push_back(kept[order[i]]);
    kept = std::move(chosen);
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

ReadResult read_dataset(const std::vector<DataPart>& parts, const DatasetOptions& options) {
  ReadResult result;
  DatasetBuilder mixed;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const DataPart& part = parts[i];
    DatasetBuilder builder;
    collect_part(part, builder, result.report, options);
    Dataset read = builder.finish();
    if (parts.size() == 1 && part.weight == 1 && part.limit == 0) {
      result.dataset = std::move(read);
      break;
    }
    for (const std::size_t kept : mix(read.records.size(), part, options.seed, static_cast<std::int64_t>(i))) {
      mixed.adopt(read.records[kept], read);
    }
    result.dataset = {};
  }
  result.report.enforce(options.on_bad_row);
  if (result.dataset.records.empty()) result.dataset = mixed.finish();
  if (result.dataset.records.empty()) {
    const std::string file = parts.empty() ? "" : parts.front().path;
    const auto bad = result.report.bad_rows;
    throw DataError({.file = file}, bad > 0 ? "no usable row (" + std::to_string(bad) + " bad)" : "no rows", "records");
  }
  return result;
}

ReadResult inspect_dataset(const DataPart& part, const DatasetOptions& options) {
  ReadResult result;
  DatasetBuilder builder;
  collect_part(part, builder, result.report, options);
  result.dataset = builder.finish();
  return result;
}

ReadResult stream_dataset(const DataPart& part, const RecordVisitor& visit, const DatasetOptions& options,
                          const Dataset* tables) {
  ReadResult result;
  DatasetBuilder builder = tables != nullptr ? DatasetBuilder(*tables) : DatasetBuilder();
  const std::size_t known = entries(builder.dataset());
  const RecordVisitor checked = [&](Record record, const Dataset& named) {
    if (entries(named) != known) {
      throw DataError({.file = part.path}, "other rows than a moment ago", "a file that nobody writes to meanwhile");
    }
    visit(std::move(record), named);
  };
  read_part(part, builder, tables != nullptr ? checked : visit, result.report, options);
  result.dataset = builder.finish();
  return result;
}

}  // namespace attune
