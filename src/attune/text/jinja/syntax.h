// The tree of a compiled template.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/text/jinja/value.h"

namespace attune::jinja {

struct Position {
  int line = 1, column = 1;  // from 1; columns in bytes
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind {
    constant,  // value
    name,      // name
    list,
    tuple,      // operands
    dict,       // operands: key, value, key, value ...
    attribute,  // operands[0].name
    item,       // operands[0][operands[1]]
    slice,      // operands[0][operands[1]:operands[2]:operands[3]], each of the three may be null
    call,       // operands[0](operands[1...], named)
    filter,     // operands[0] | name(operands[1...], named)
    test,       // operands[0] is name(operands[1...], named)
    negate,
    positive,
    logical_not,
    logical_and,
    logical_or,
    conditional,  // operands[0] if operands[1] else operands[2], the last may be null
    compare,      // operands[0] operators[0] operands[1] operators[1] ...
    concatenate,  // operands joined as text
    arithmetic,   // operands[0] operators[0] operands[1]
  };
  Kind kind = Kind::constant;
  Position position = {};
  std::string name = {};
  Value value = {};
  std::vector<ExpressionPtr> operands = {};
  std::vector<std::string> operators = {};
  std::vector<std::pair<std::string, ExpressionPtr>> named = {};
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

// What is assigned to: a name, ns.field, or a list of those.
struct Target {
  std::string name = {};
  std::string field = {};          // of the namespace `name`
  std::vector<Target> parts = {};  // unpacking
};

struct Parameter {
  std::string name = {};
  ExpressionPtr otherwise = {};  // may be null
};

struct Statement {
  enum class Kind {
    data,          // text
    print,         // expression
    branch,        // if expression: body; else: otherwise (an elif is a branch there)
    loop,          // for target in expression if condition: body; else: otherwise
    assign,        // target = expression
    assign_block,  // target = body, through `filters`
    macro,         // name(parameters): body
    call_block,    // expression is the call, parameters and body its caller
    filter_block,  // body through `filters`
    with,          // targets = expressions, then body
    generation,    // body
    leave,
    proceed,  // break, continue
  };
  Kind kind = Kind::data;
  Position position = {};
  std::string text = {};
  std::string name = {};
  ExpressionPtr expression = {}, condition = {};
  ExpressionPtr filters = {};  // a chain whose innermost operand is null: the block's text
  Target target = {};
  std::vector<std::pair<Target, ExpressionPtr>> assignments = {};
  std::vector<Parameter> parameters = {};
  bool uses_varargs = false, uses_kwargs = false, uses_caller = false;  // of macros: only those may be given more
  Block body = {}, otherwise = {};
};

}  // namespace attune::jinja
