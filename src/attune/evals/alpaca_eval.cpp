// AlpacaEval 2: how often a judge prefers a model's answers to a baseline's, as it is and at equal length.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>

#include "attune/base/errors.h"
#include "attune/evals/eval.h"
#include "attune/statistics/answers.h"
#include "attune/stats/win_rate.h"

namespace attune::evals {
namespace {

namespace fs = std::filesystem;

// The first file of a folder whose name begins so; empty: none.
std::string file_in(const fs::path& folder, const std::string& beginning) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().filename().string().starts_with(beginning)) found.push_back(entry.path().string());
  }
  return found.empty() ? "" : *std::min_element(found.begin(), found.end());
}

// Code points, as the original counts length.
double characters(const std::string& text) {
  return static_cast<double>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

struct Judged {
  std::vector<double> won = {}, differences = {};
  std::vector<std::string> instructions = {};
  std::vector<double> rows = {};  // positions among all annotations, null ones included
  std::string model = {};
};

// Difficulties by position and the rows that hold the slopes; positions by instruction.
struct Difficulties {
  std::vector<double> values = {};
  std::vector<LengthRow> held = {};
  std::unordered_map<std::string, std::size_t> places = {};
};

class AlpacaEval final : public Eval {
  bool row_join_ = false;
  std::string difficulties_ = "", baseline_outputs_ = "", weights_ = "";
  double holding_weight_ = 0.1;
  LengthControlOptions control_;
  IntervalOptions interval_;

  static Judged read_judged(const EvalInput& input, EvalResult& result) {
    const std::string folder = input.data.path();
    const bool is_folder = fs::is_directory(folder);
    const std::string file = is_folder ? file_in(folder, "annotations.json") : folder;
    if (file.empty()) throw MissingInput({.file = folder}, "no annotations.json", "a judge's annotations");
    Judged judged;
    const Evidence annotations{file};
    double position = 0;
    for (const EvidenceRow& row : annotations.rows()) {
      const double own = position++;
      if (cell_of(row, "preference").is_null()) {
        result.leave_out("annotations without a preference", std::to_string(row.line));
        continue;
      }
      const double share = won_of_preference(number_in(row, "preference"));
      if (!(share >= 0 && share <= 1))
        refuse_cell(row, "preference", "a preference outside of its scale", "1 to 2, or 0");
      judged.won.push_back(share);
      judged.differences.push_back(characters(text_in(row, "output_1")) - characters(text_in(row, "output_2")));
      judged.instructions.push_back(text_in(row, "instruction"));
      judged.rows.push_back(own);
      if (judged.model.empty() && row.value.find("generator_2") != nullptr) judged.model = text_in(row, "generator_2");
    }
    if (judged.won.size() < 2) annotations.refuse("fewer than two judged rows", "at least two");
    return judged;
  }

  std::string found(const std::string& named, const EvalInput& input, const std::string& beginning) const {
    if (!named.empty()) return named;
    return input.baseline.empty() ? "" : file_in(input.baseline, beginning);
  }

  std::optional<Difficulties> read_difficulties(const EvalInput& input) const {
    std::string file = found(difficulties_, input, "df_gamed");
    if (file.empty()) file = found("", input, "derived.df_gamed");
    if (file.empty()) return std::nullopt;
    Difficulties result;
    std::map<std::size_t, double> values;
    for (const Evidence rows{file}; const EvidenceRow& row : rows.rows()) {
      const double index = number_in(row, "index"), difficulty = number_in(row, "instruction_difficulty");
      if (!(index >= 0 && index < 1e6)) refuse_cell(row, "index", "no row of the benchmark", "0 to 804");
      values[static_cast<std::size_t>(index)] = difficulty;
      result.held.push_back({.won = number_in(row, "preference"),
                             .length = std::tanh(number_in(row, "std_delta_len")),
                             .difficulty = difficulty,
                             .model = 0,
                             .weight = holding_weight_});
    }
    result.values.assign(values.rbegin()->first + 1, NAN);
    for (const auto& [index, value] : values) result.values[index] = value;
    read_places(input, result);
    return result;
  }

  // The order of the instructions: that of the baseline's own answers.
  void read_places(const EvalInput& input, Difficulties& result) const {
    std::string file = baseline_outputs_;
    if (file.empty() && !input.baseline.empty()) {
      file = file_in(fs::path(input.baseline) / "gpt4_1106_preview", "model_outputs.json");
    }
    if (file.empty()) {
      throw MissingInput({.file = input.baseline}, "no answers of the baseline",
                         "gpt4_1106_preview/model_outputs.json, whose order the difficulties have",
                         "name the file: baseline_outputs=FILE");
    }
    std::size_t place = 0;
    for (const Evidence rows{file}; const EvidenceRow& row : rows.rows()) {
      result.places.try_emplace(text_in(row, "instruction"), place++);
    }
  }

  // Each judged row's difficulty; rows whose instruction is none of the benchmark's are left out of the fit.
  std::vector<double> joined(const Judged& judged, const Difficulties& known, EvalResult& result) const {
    std::vector<double> difficulties;
    for (std::size_t i = 0; i < judged.won.size(); ++i) {
      std::size_t place = static_cast<std::size_t>(judged.rows[i]);
      if (!row_join_) {
        const auto found = known.places.find(judged.instructions[i]);
        place = found == known.places.end() ? known.values.size() : found->second;
      }
      difficulties.push_back(place < known.values.size() ? known.values[place] : NAN);
      if (std::isnan(difficulties.back())) {
        result.leave_out("annotations of an instruction without a difficulty (left out of the length-controlled rate)",
                         std::to_string(static_cast<std::size_t>(judged.rows[i])));
      }
    }
    return difficulties;
  }

  LengthControlled refit(const Judged& judged, const std::vector<double>& difficulties,
                         const std::vector<LengthRow>& held) const {
    std::vector<double> differences;
    std::vector<LengthRow> table;
    for (std::size_t i = 0; i < judged.won.size(); ++i) {
      if (std::isnan(difficulties[i])) continue;
      differences.push_back(judged.differences[i]);
      table.push_back({.won = judged.won[i], .difficulty = difficulties[i]});
    }
    if (table.size() < 2) {
      throw DataError({}, "fewer than two annotations of known instructions", "annotations of the benchmark's 805");
    }
    const auto lengths = length_terms(differences);
    for (std::size_t i = 0; i < table.size(); ++i) table[i].length = lengths[i];
    table.insert(table.end(), held.begin(), held.end());
    return length_controlled(table, control_);
  }

  void add_published(const EvalInput& input, const Judged& judged, const Difficulties& known, Json& parts) const {
    const std::string file = found(weights_, input, "length_controlled_v1_weights");
    if (file.empty()) return;
    for (const Evidence rows{file}; const EvidenceRow& row : rows.rows()) {
      const auto& members = row.value.members();
      if (members.size() != 4) {
        throw DataError({.file = row.file, .line = row.line}, std::to_string(members.size()) + " columns",
                        "a model and its three weights");
      }
      if (text_of(members[0].second) != judged.model) continue;
      std::array<double, 3> slopes = {};
      for (std::size_t i = 0; i < 3; ++i) slopes[i] = number_in(row, members[i + 1].first);
      std::vector<double> difficulties = known.values;
      std::erase_if(difficulties, [](double value) { return std::isnan(value); });
      parts.set("length_controlled_by_published_weights", 100 * length_controlled_at(difficulties, slopes).mean);
    }
  }

 public:
  void describe(Fields& fields) {
    fields("row_join", row_join_,
           "join difficulties by row number, as published: rows behind a missing one get another's");
    fields("difficulties", difficulties_,
           "file of index, preference, std_delta_len, instruction_difficulty of the gamed "
           "baselines; empty: df_gamed* in --baseline");
    fields("baseline_outputs", baseline_outputs_,
           "the baseline's answers; empty: those of gpt4_1106_preview in --baseline");
    fields("weights", weights_, "published weights; empty: length_controlled_v1_weights* in --baseline");
    fields("holding_weight", holding_weight_, "of each row of the gamed baselines").above(0);
    fields("l2", control_.l2, "penalty on the slopes a row").above(0);
    interval_.describe(fields);
  }

  EvalResult run(const EvalInput& input) const override {
    EvalResult result{.title = "AlpacaEval 2"};
    const Judged judged = read_judged(input, result);
    const WinRate rate = win_rate(judged.won);
    const auto interval = interval_.of_mean(judged.won);
    result.parts = Json::object({{"win_rate", 100 * rate.mean},
                                 {"standard_error", 100 * rate.standard_error},
                                 {"length_controlled_win_rate", Json()},
                                 {"discrete_win_rate", 100 * rate.discrete},
                                 {"wins", rate.wins},
                                 {"ties", rate.ties},
                                 {"losses", rate.losses}});
    result.score = 100 * rate.mean;
    result.n = rate.n;
    result.interval = {100 * interval.interval.low, 100 * interval.interval.high};
    const auto known = read_difficulties(input);
    if (!known) {
      result.lines.push_back("Without --baseline there is no length-controlled rate: the score is the win rate.");
      return result;
    }
    const LengthControlled controlled = refit(judged, joined(judged, *known, result), known->held);
    result.score = 100 * controlled.mean;
    result.interval = {100 * (controlled.mean - 1.959963984540054 * controlled.standard_error),
                       100 * (controlled.mean + 1.959963984540054 * controlled.standard_error)};
    result.parts.set("length_controlled_win_rate", result.score);
    result.parts.set("lc_standard_error", 100 * controlled.standard_error);
    result.parts.set("slopes", Json::object({{"length", controlled.slopes[0]},
                                             {"difficulty", controlled.slopes[1]},
                                             {"model", controlled.slopes[2]}}));
    result.parts.set("converged", controlled.converged);
    result.parts.set("win_rate_interval", interval_json({100 * interval.interval.low, 100 * interval.interval.high}));
    if (!controlled.converged)
      result.lines.push_back("The fit did not converge: do not trust the length-controlled rate.");
    add_published(input, judged, *known, result.parts);
    return result;
  }
};

}  // namespace

ATTUNE_PART(Eval, alpaca_eval, AlpacaEval,
            .summary = "AlpacaEval 2: win rate against a baseline, as it is and length-controlled",
            .formula =
                "win rate 100 mean(preference - 1), SE 100 sd / sqrt(n); LC: v ~ sigmoid(a tanh(d / sd d) + b g + c) "
                "with 1,610 rows that hold a and b, 100 mean sigmoid(b g + c); g joined by instruction",
            .paper = "Dubois et al. 2024, Length-controlled AlpacaEval, arXiv 2404.04475");

}  // namespace attune::evals
