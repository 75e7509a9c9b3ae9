// Runs a compiled template within a budget.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/text/jinja/syntax.h"

namespace attune::jinja {

// What a run may use before it is stopped with an error that tells where.
struct Budget {
  std::int64_t steps = 5'000'000;              // expressions and statements
  std::int64_t bytes = std::int64_t{1} << 28;  // of all strings made on the way, the output included
  int depth = 1000;                            // nested evaluations, macro calls included
};

// Python's local time for strftime_now: fixed in tests.
using StrftimeNow = std::function<std::string(const std::string& format)>;

class Scope;

class Interpreter {
 public:
  // `globals` are what the template sees beside the built-in functions. `file` names it in messages. All must outlive
  // the run.
  Interpreter(const std::string& file, const Budget& budget, StrftimeNow strftime_now);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // The text of the whole template. Throws FormatError: the budget, or an operation that Python would refuse.
  // DataError: the template itself raised (raise_exception), with its text.
  Text run(const Block& block, std::vector<std::pair<std::string, Value>> globals);

  // For built-ins.
  [[noreturn]] void fail(const std::string& found, const std::string& expected = {}) const;
  [[noreturn]] void raised(const std::string& text) const;
  void spend(std::int64_t steps);
  Text made(Text text);  // counts the bytes of a new string
  Value call(const Value& callee, Arguments& arguments);
  Value attribute(const Value& object, std::string_view name);  // object.name
  Value item(const Value& object, const Value& key);            // object[key]
  std::vector<Value> iterate(const Value& value);               // list(value)
  std::int64_t length(const Value& value);
  bool contains(const Value& container, const Value& item);
  int compare(const Value& a, const Value& b, std::string_view what);
  Value arithmetic(std::string_view operation, const Value& left, const Value& right);
  std::string now(const std::string& format) const { return strftime_now_(format); }
  std::shared_ptr<Namespace> make_namespace(Dict fields);
  // Errors of raise_exception name the message being rendered: the one of `messages` that a loop last reached.
  void watch(const Value& messages);

 private:
  enum class Flow { next, leave, proceed };
  class Deeper;

  Value evaluate(const Expression& expression);
  Value evaluate_name(const Expression& expression);
  Value evaluate_slice(const Expression& expression);
  Value evaluate_compare(const Expression& expression);
  Value evaluate_concatenation(const Expression& expression);
  Value evaluate_dict(const Expression& expression);
  Value evaluate_list(const Expression& expression, bool tuple);
  Value evaluate_filters(const Expression& chain, const Value& block_text);
  Value negative(const Value& value);
  Arguments evaluate_arguments(const Expression& call);

  Flow execute(const Block& block);
  Flow execute(const Statement& statement);
  Flow execute_loop(const Statement& statement);
  void execute_with(const Statement& statement);
  void execute_call(const Statement& statement);
  void define_macro(const Statement& statement);
  void assign(const Target& target, const Value& value);
  Text captured(const Block& block);  // in a scope of its own
  std::shared_ptr<const Callable> callable_of(const Statement& macro, std::string name);
  Text call_macro(const Statement& macro, const std::shared_ptr<Scope>& outer, Arguments& arguments);
  void note_message(const Value& item);

  const std::string& file_;
  Budget budget_;
  StrftimeNow strftime_now_;
  Position position_ = {};
  int depth_ = 0;
  Text* out_ = nullptr;
  std::shared_ptr<Scope> scope_;
  std::vector<std::weak_ptr<Scope>> captured_scopes_;  // emptied at the end: macros and their scopes hold each other
  std::vector<std::weak_ptr<Namespace>> namespaces_;   // as well
  Value messages_ = None{};
  std::int64_t message_ = -1;
};

}  // namespace attune::jinja
