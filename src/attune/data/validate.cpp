#include "attune/data/validate.h"

#include <cmath>
#include <string_view>
#include <type_traits>

#include "attune/base/errors.h"
#include "attune/base/json.h"
#include "attune/data/raw_json.h"

namespace attune {
namespace {

// Walks a record and collects problems; one method a struct of record.h.
class Checker {
 public:
  Checker(const Record& record, const Dataset& dataset) : record_(record), dataset_(dataset) {}

  std::vector<RecordProblem> run() {
    for (std::size_t i = 0; i < record_.nodes.size(); ++i) check_node(i);
    if (!problems_.empty()) return problems_;  // paths are only walked in a sound tree
    for (std::size_t i = 0; i < record_.completions.size(); ++i) check_completion(i);
    for (std::size_t i = 0; i < record_.feedback.size(); ++i) check_feedback(i);
    check_json("extra_json", record_.extra_json, true);
    for (std::size_t i = 0; i < record_.tools_json.size(); ++i) {
      check_json(at("tools_json", i), record_.tools_json[i], false);
    }
    return problems_;
  }

 private:
  static std::string at(std::string_view list, std::size_t index) {
    return std::string(list) + '[' + std::to_string(index) + ']';
  }
  void report(std::string field, std::string found, std::string expected) {
    problems_.push_back({std::move(field), std::move(found), std::move(expected)});
  }
  void check_index(const std::string& field, std::int64_t value, std::size_t size, std::string_view what) {
    if (value < -1 || value >= static_cast<std::int64_t>(size)) {
      report(field, std::to_string(value), "-1 or an index below " + std::to_string(size) + " of " + std::string(what));
    }
  }
  void check_json(const std::string& field, const std::string& text, bool object) {
    if (text.empty()) return;
    try {
      const Json value = Json::parse(text);
      if (object && !value.is_object()) report(field, std::string(value.type_name()), "an object");
    } catch (const JsonSyntaxError& error) {
      report(field, "broken JSON: " + error.reason, "JSON");
    }
  }
  void check_finite(const std::string& field, double value) {
    if (!std::isfinite(value)) report(field, "a number that is not finite", "a finite number");
  }

  void check_node(std::size_t i) {
    const Node& node = record_.nodes[i];
    if (node.parent < -1 || node.parent >= static_cast<std::int64_t>(i)) {
      report(at("nodes", i) + ".parent", std::to_string(node.parent), "-1 or an earlier node");
    }
    check_index(at("nodes", i) + ".source", node.source, dataset_.sources.size(), "sources");
    check_json(at("nodes", i) + ".message.extra_json", node.message.extra_json, true);
  }

  void check_completion(std::size_t i) {
    const Completion& completion = record_.completions[i];
    const std::string field = at("completions", i);
    const auto count = static_cast<std::int64_t>(record_.nodes.size());
    if (completion.last < 0 || completion.last >= count) {
      return report(field + ".last", std::to_string(completion.last), "a node");
    }
    check_index(field + ".after", completion.after, record_.nodes.size(), "nodes");
    if (completion.after == -1) return;
    std::int32_t node = record_.nodes[completion.last].parent;
    while (node > completion.after) node = record_.nodes[node].parent;
    if (node != completion.after) {
      report(field + ".after", std::to_string(completion.after), "an ancestor of `last`");
    }
  }

  void check_target(const std::string& field, const Target& target) {
    if (target.completion >= 0 && target.node >= 0) report(field, "both completion and node", "one of them");
    check_index(field + ".completion", target.completion, record_.completions.size(), "completions");
    check_index(field + ".node", target.node, record_.nodes.size(), "nodes");
    if (!target.is_set()) return;
    if ((target.begin >= 0) != (target.end >= 0)) return report(field, "half a span", "begin and end");
    if (target.begin < 0) return;
    const std::size_t size = target.node >= 0
                                 ? text_of(record_.nodes[target.node].message).size()
                                 : (target.completion < std::ssize(record_.completions)
                                        ? completion_text(record_, record_.completions[target.completion]).size()
                                        : 0);
    if (target.begin > target.end || target.end > static_cast<std::int64_t>(size)) {
      report(field, "a span of bytes " + std::to_string(target.begin) + " to " + std::to_string(target.end),
             "a span inside of " + std::to_string(size) + " bytes");
    }
  }
  void check_named(const std::string& field, const Target& target) {
    if (!target.is_set()) return report(field, "no target", "a completion or a node");
    check_target(field, target);
  }

  void check_feedback(std::size_t i) {
    const Feedback& feedback = record_.feedback[i];
    const std::string field = at("feedback", i);
    check_target(field + ".on", feedback.on);
    check_index(field + ".annotator", feedback.annotator, dataset_.annotators.size(), "annotators");
    check_index(field + ".rubric", feedback.rubric, dataset_.rubrics.size(), "rubrics");
    if (feedback.supersedes < -1 || feedback.supersedes >= static_cast<std::int64_t>(i)) {
      report(field + ".supersedes", std::to_string(feedback.supersedes), "an earlier feedback");
    }
    for (std::size_t k = 0; k < feedback.shown.size(); ++k) {
      if (feedback.shown[k] < 0 || feedback.shown[k] >= std::ssize(record_.completions)) {
        report(at(field + ".shown", k), std::to_string(feedback.shown[k]), "a completion");
      }
    }
    if (feedback.confidence && !(*feedback.confidence >= 0 && *feedback.confidence <= 1)) {
      report(field + ".confidence", "a number outside of [0, 1]", "a share");
    }
    if (feedback.seconds) check_finite(field + ".seconds", *feedback.seconds);
    if (!(std::isfinite(feedback.weight) && feedback.weight >= 0)) {
      report(field + ".weight", "a negative number or one that is not finite", "a number of at least 0");
    }
    check_json(field + ".extra_json", feedback.extra_json, true);
    std::visit([&](const auto& what) { check(field, what); }, feedback.what);
  }

  void check(const std::string& field, const Comparison& comparison) {
    check_named(field + ".comparison.a", comparison.a);
    check_named(field + ".comparison.b", comparison.b);
    if (comparison.a == comparison.b) report(field + ".comparison", "a target compared with itself", "two targets");
    if (comparison.strength) check_finite(field + ".comparison.strength", *comparison.strength);
  }
  void check(const std::string& field, const Ranking& ranking) {
    for (std::size_t tier = 0; tier < ranking.tiers.size(); ++tier) {
      for (const Target& target : ranking.tiers[tier]) check_named(at(field + ".ranking.tiers", tier), target);
    }
  }
  void check(const std::string& field, const Rating& rating) {
    check_finite(field + ".rating.value", rating.value);
    check_index(field + ".rating.scale", rating.scale, dataset_.scales.size(), "scales");
    if (rating.scale < 0 || rating.scale >= std::ssize(dataset_.scales)) return;
    const Scale& scale = dataset_.scales[rating.scale];
    if ((scale.low && rating.value < *scale.low) || (scale.high && rating.value > *scale.high)) {
      report(field + ".rating.value", "a value outside of its scale",
             (scale.low ? "at least " + format_double(*scale.low) : "any") + ", " +
                 (scale.high ? "at most " + format_double(*scale.high) : "any"));
    }
  }
  void check(const std::string& field, const Votes& votes) {
    if (votes.options.size() != votes.share.size()) {
      report(field + ".votes", std::to_string(votes.share.size()) + " shares",
             std::to_string(votes.options.size()) + ", one an option");
    }
    for (std::size_t i = 0; i < votes.options.size(); ++i)
      check_named(at(field + ".votes.options", i), votes.options[i]);
    for (std::size_t i = 0; i < votes.share.size(); ++i) check_finite(at(field + ".votes.share", i), votes.share[i]);
  }
  void check(const std::string& field, const Signal& signal) { check_finite(field + ".signal.value", signal.value); }
  void check(const std::string&, const Label&) {}
  void check(const std::string&, const Critique&) {}
  void check(const std::string&, const Edit&) {}

  const Record& record_;
  const Dataset& dataset_;
  std::vector<RecordProblem> problems_;
};

}  // namespace

std::vector<RecordProblem> validate(const Record& record, const Dataset& dataset) {
  return Checker(record, dataset).run();
}

namespace {

// The name of a column that holds images, or empty.
std::string image_column(const Record& record) {
  if (record.extra_json.find("\"image") == std::string::npos) return {};
  for (const char* key : {"images", "image"}) {
    const std::string_view images = raw_member(record.extra_json, key);
    if (!images.empty() && images != "null" && images != "[]") return key;
  }
  return {};
}

std::string image_field(const Record& record) {
  for (std::size_t i = 0; i < record.nodes.size(); ++i) {
    for (const Content& part : record.nodes[i].message.content) {
      if (part.kind == Content::Kind::image) return "nodes[" + std::to_string(i) + "].content";
    }
  }
  return image_column(record);
}

}  // namespace

void require_text_alone(const Dataset& dataset) {
  for (std::size_t i = 0; i < dataset.records.size(); ++i) {
    const Record& record = dataset.records[i];
    const std::string field = image_field(record);
    if (field.empty()) continue;
    throw DataError({.record = record.id.empty() ? std::to_string(i) : record.id, .field = field}, "images",
                    "text alone: models here see no images", "leave such records out");
  }
}

}  // namespace attune
