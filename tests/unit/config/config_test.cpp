#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "attune/base/errors.h"
#include "attune/config/read.h"

namespace attune {
namespace {

enum class Decay { constant, cosine };
constexpr auto enum_names(Decay) {
  return std::array{std::pair{std::string_view("constant"), Decay::constant},
                    std::pair{std::string_view("cosine"), Decay::cosine}};
}

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Circle final : Shape {
  double radius = 1;
  void describe(Fields& fields) { fields("radius", radius, "half the diameter").above(0); }
  double area() const override { return 3 * radius * radius; }
};
ATTUNE_PART(Shape, circle, Circle, .summary = "round");
constexpr PartRow<Shape> shape_rows[] = {{"circle", &part_circle}};

struct Source {
  std::string path = {};
  double weight = 1;
  void describe(Fields& fields) {
    fields.shorthand("path");
    fields("path", path, "file").required();
    fields("weight", weight, "share").at_least(0);
  }
};

struct Settings {
  double lr = 1e-3;
  int steps = 10;
  bool shuffle = true;
  Decay decay = Decay::constant;
  std::vector<Source> train = {};
  std::optional<int> top_k = {};
  std::vector<Choice<Shape>> shapes = {};
  void describe(Fields& fields) {
    fields("lr", lr, "learning rate").above(0);
    fields("steps", steps, "how many").at_least(1);
    fields("shuffle", shuffle, "");
    fields("decay", decay, "");
    fields("train", train, "");
    fields("top_k", top_k, "").at_least(1);
    fields("shapes", shapes, "");
  }
};

Settings read(std::string_view yaml, std::vector<std::string> overrides = {}) {
  ConfigNode node = parse_yaml(yaml, "run.yaml");
  for (const auto& override_text : overrides) apply_override(node, override_text);
  Settings settings;
  read_config(node, settings);
  return settings;
}

std::string error_of(std::string_view yaml, std::vector<std::string> overrides = {}) {
  try {
    read(yaml, std::move(overrides));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

template <>
inline constexpr std::string_view part_kind<Shape> = "shape";
template <>
inline constexpr bool part_weighted<Shape> = true;
template <>
std::span<const PartRow<Shape>> part_rows<Shape>() {
  return shape_rows;
}

namespace {

TEST(Config, ReadsEveryTypeAndKeepsDefaults) {
  const Settings settings = read(
      "lr: 5.0e-7\ndecay: cosine\ntrain: [a.jsonl, {path: b.jsonl, weight: 0.5}]\ntop_k: 4\n"
      "shapes: [circle, {circle: {radius: 2, weight: 0.5}}]\n");
  EXPECT_EQ(settings.lr, 5e-7);
  EXPECT_EQ(settings.steps, 10);
  EXPECT_EQ(settings.decay, Decay::cosine);
  ASSERT_EQ(settings.train.size(), 2u);
  EXPECT_EQ(settings.train[0].path, "a.jsonl");
  EXPECT_EQ(settings.train[1].weight, 0.5);
  EXPECT_EQ(settings.top_k, 4);
  ASSERT_EQ(settings.shapes.size(), 2u);
  EXPECT_EQ(settings.shapes[1]->area(), 12);
  EXPECT_EQ(settings.shapes[1].weight, 0.5);
}

TEST(Config, OneElementNeedsNoBrackets) {
  const Settings settings = read("train: a.jsonl\nshapes: {circle: {radius: 3}}\n");
  EXPECT_EQ(settings.train.at(0).path, "a.jsonl");
  EXPECT_EQ(settings.shapes.at(0)->area(), 27);
}

TEST(Config, UnknownKeyNamesFileLineAndTheNearestSpelling) {
  EXPECT_EQ(error_of("steps: 3\nshufle: true\n"),
            "run.yaml:2 (field shufle): found an unknown key; did you mean 'shuffle'?");
  EXPECT_EQ(error_of("shapes: {circle: {radiu: 1}}\n"),
            "run.yaml:1 (field shapes.circle.radiu): found an unknown key; did you mean 'radius'?");
}

TEST(Config, WrongTypeBoundAndNameAreRefusedWithTheirPlace) {
  EXPECT_EQ(error_of("steps: many\n"), "run.yaml:1 (field steps): found 'many'; expected a whole number");
  EXPECT_EQ(error_of("lr: 0\n"), "run.yaml:1 (field lr): found 0.0; expected a value above 0");
  EXPECT_EQ(error_of("decay: cosin\n"), "run.yaml:1 (field decay): found 'cosin'; expected one of constant, cosine");
  EXPECT_EQ(error_of("shapes: cirle\n"),
            "run.yaml:1 (field shapes): found the unknown shape 'cirle'; did you mean 'circle'?");
  EXPECT_EQ(error_of("train: [{weight: 1}]\n"),
            "run.yaml:1 (field train[0].path): found no such key; expected a value: it has no default");
  EXPECT_EQ(error_of("train: [{path: x, weight: -1}]\n"),
            "run.yaml:1 (field train[0].weight): found -1.0; expected a value of at least 0");
  EXPECT_EQ(error_of("top_k: 0\n"), "run.yaml:1 (field top_k): found 0.0; expected a value of at least 1");
  EXPECT_EQ(error_of("lr: .nan\n"), "run.yaml:1 (field lr): found '.nan'; expected a number");
}

TEST(Config, OverridesReplaceAddAndOpenShortForms) {
  const Settings settings =
      read("shapes: circle\nlr: 1.0\n", {"lr=0.5", "train=x.jsonl", "shapes.circle.radius=2", "steps=7"});
  EXPECT_EQ(settings.lr, 0.5);
  EXPECT_EQ(settings.train.at(0).path, "x.jsonl");
  EXPECT_EQ(settings.shapes.at(0)->area(), 12);
  EXPECT_EQ(settings.steps, 7);
  EXPECT_EQ(error_of("", {"lrr=1"}), "command line (field lrr): found an unknown key; did you mean 'lr'?");
  EXPECT_THROW(read("", {"lr"}), UsageError);
}

TEST(Config, OverridesOpenPlainValuesWithAShorthand) {
  EXPECT_EQ(read("train: [x.jsonl]\n", {"train.0.weight=0.5"}).train.at(0).weight, 0.5);
  EXPECT_EQ(read("train: [x.jsonl]\n", {"train.0.weight=0.5"}).train.at(0).path, "x.jsonl");
  EXPECT_EQ(error_of("lr: 1\n", {"lr.x=2"}), "run.yaml:1 (field lr): found a map; expected a plain value");
}

TEST(Config, SavedFieldsReadBackEqual) {
  Settings settings = read("lr: 0.25\ntrain: [a, {path: b, weight: 0.5}]\nshapes: [{circle: {radius: 2}}]\n");
  const Json saved = save_config(settings);
  Settings again = read(to_yaml(saved));
  EXPECT_EQ(save_config(again), saved);
}

TEST(Config, BrokenYamlNamesItsLine) {
  EXPECT_NE(error_of("a: [1\nb: 2\n").find("run.yaml:2"), std::string::npos);
  EXPECT_EQ(error_of("lr: 1\nlr: 2\n"), "run.yaml:2 (field lr): found the same key twice; keep one");
}

TEST(Config, SchemaHoldsTypesDefaultsBoundsAndChoices) {
  const Json schema = config_schema<Settings>();
  const Json& properties = *schema.find("properties");
  EXPECT_EQ(properties.find("lr")->str(),
            R"({"type":"number","default":0.001,"description":"learning rate","exclusiveMinimum":0.0})");
  EXPECT_EQ(properties.find("shapes")->find("items")->find("x-kind")->string(), "shape");
  EXPECT_EQ(properties.find("train")->find("items")->find("required")->str(), R"(["path"])");
  EXPECT_TRUE(properties.find("top_k")->find("default")->is_null());
}

TEST(Config, PartPagesDescribeEveryPart) {
  const Json pages = part_pages<Shape>();
  ASSERT_EQ(pages.size(), 1u);
  EXPECT_EQ(pages.items()[0].find("name")->string(), "circle");
  EXPECT_NE(pages.items()[0].find("options")->find("properties")->find("radius"), nullptr);
}

}  // namespace
}  // namespace attune
