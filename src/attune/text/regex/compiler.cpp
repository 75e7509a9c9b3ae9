#include <utility>

#include "attune/text/regex/program.h"
#include "attune/text/regex/regex.h"
#include "attune/text/regex/syntax.h"

namespace attune {
namespace {

using Kind = RegexNode::Kind;
using Op = RegexProgram::Op;
constexpr std::size_t longest_program = 20'000;

// Node by node into instructions; each leaves off where what follows goes on.
class Compiler {
 public:
  explicit Compiler(const Where& where) : where_(where) {}

  RegexProgram compile(const RegexNode& root) {
    node(root);
    emit({.op = Op::accept});
    return std::move(program_);
  }

 private:
  [[noreturn]] void fail(const std::string& found) const {
    throw FormatError(where_, "a regular expression with " + found, "the constructs that tokenizers use",
                      "use a tokenizer of a supported kind");
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(program_.code.size()); }
  std::uint32_t emit(RegexProgram::Instruction instruction) {
    if (program_.code.size() >= longest_program) fail("too many repetitions");
    program_.code.push_back(instruction);
    return here() - 1;
  }
  std::uint32_t set(const CodePointRanges& ranges) {
    program_.sets.emplace_back(ranges);
    return static_cast<std::uint32_t>(program_.sets.size() - 1);
  }

  void node(const RegexNode& one) {
    switch (one.kind) {
      case Kind::set:
        emit({.op = Op::one, .set = set(one.set)});
        break;
      case Kind::sequence:
        for (const RegexNode& part : one.parts) node(part);
        break;
      case Kind::alternatives:
        alternatives(one);
        break;
      case Kind::repeat:
        repeat(one);
        break;
      case Kind::look_ahead:
        inner(Op::ahead, one.parts.front(), one.negative);
        break;
      case Kind::atomic:
        inner(Op::atomic, one.parts.front(), false);
        break;
      case Kind::look_behind:
        look_behind(one);
        break;
      case Kind::anchor:
        emit({.op = one.anchor});
        break;
    }
  }

  void alternatives(const RegexNode& one) {
    std::vector<std::uint32_t> ends;
    for (std::size_t i = 0; i < one.parts.size(); ++i) {
      const bool last = i + 1 == one.parts.size();
      const std::uint32_t split = last ? 0 : emit({.op = Op::split, .to = here() + 1});
      node(one.parts[i]);
      if (last) break;
      ends.push_back(emit({.op = Op::jump}));
      program_.code[split].otherwise = here();
    }
    for (const std::uint32_t end : ends) program_.code[end].to = here();
  }

  void inner(Op op, const RegexNode& body, bool negative) {
    const std::uint32_t head = emit({.op = op, .negative = negative});
    node(body);
    emit({.op = Op::accept});
    program_.code[head].to = here();
  }

  void repeat(const RegexNode& one) {
    const RegexNode& body = one.parts.front();
    if (body.kind == Kind::set && one.greed != RegexNode::Greed::lazy) {
      const bool possessive = one.greed == RegexNode::Greed::possessive;
      emit({.op = possessive ? Op::run_possessive : Op::run, .set = set(body.set), .min = one.min, .max = one.max});
      return;
    }
    if (one.greed == RegexNode::Greed::possessive) {
      const std::uint32_t head = emit({.op = Op::atomic});
      loop(one, false);
      emit({.op = Op::accept});
      program_.code[head].to = here();
      return;
    }
    loop(one, one.greed == RegexNode::Greed::lazy);
  }

  void loop(const RegexNode& one, bool lazy) {
    const RegexNode& body = one.parts.front();
    for (std::uint32_t i = 0; i < one.min; ++i) node(body);
    const auto fork = [&](Op op) {  // the body follows; where it goes otherwise is set later
      const std::uint32_t at = emit({.op = op});
      (lazy ? program_.code[at].otherwise : program_.code[at].to) = here();
      return at;
    };
    const auto leave = [&](std::uint32_t at) { (lazy ? program_.code[at].to : program_.code[at].otherwise) = here(); };
    if (one.max == RegexProgram::unbounded) {
      const std::uint32_t head = fork(Op::loop);
      program_.code[head].set = program_.loops++;
      node(body);
      emit({.op = Op::jump, .to = head});
      leave(head);
      return;
    }
    std::vector<std::uint32_t> forks;
    for (std::uint32_t i = one.min; i < one.max; ++i) {
      forks.push_back(fork(Op::split));
      node(body);
    }
    for (const std::uint32_t at : forks) leave(at);
  }

  void look_behind(const RegexNode& one) {
    const RegexNode& body = one.parts.front();
    std::vector<std::vector<std::uint32_t>> ways;
    if (body.kind == Kind::alternatives) {
      for (const RegexNode& part : body.parts) ways.push_back(row(part));
    } else {
      ways.push_back(row(body));
    }
    program_.lookbehinds.push_back(std::move(ways));
    emit({.op = Op::behind,
          .negative = one.negative,
          .set = static_cast<std::uint32_t>(program_.lookbehinds.size() - 1)});
  }
  std::vector<std::uint32_t> row(const RegexNode& one) {
    if (one.kind == Kind::set) return {set(one.set)};
    std::vector<std::uint32_t> sets;
    if (one.kind != Kind::sequence) fail("a look-behind of no fixed length");
    for (const RegexNode& part : one.parts) {
      if (part.kind != Kind::set) fail("a look-behind of no fixed length");
      sets.push_back(set(part.set));
    }
    return sets;
  }

  const Where& where_;
  RegexProgram program_;
};

}  // namespace

Regex Regex::compile(std::string_view expression, const Where& where) {
  const RegexNode root = parse_regex(expression, where);
  Regex regex;
  regex.program_ = std::make_shared<const RegexProgram>(Compiler(where).compile(root));
  return regex;
}

}  // namespace attune
