#include "attune/text/regex/program.h"
#include "attune/text/regex/regex.h"
#include "attune/text/unicode.h"

namespace attune {
namespace {

using Op = RegexProgram::Op;

// The character at `at`, which is inside the text.
CodePoint character_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte < 0x80 ? CodePoint{byte, 1} : code_point_at(text, at);
}

std::size_t before(std::string_view text, std::size_t at) {
  do --at;
  while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool word_at(std::string_view text, std::size_t at) {
  static const CharacterSet words(word_ranges());
  return at < text.size() && words.has(character_at(text, at).value);
}

}  // namespace

RegexSearch::RegexSearch(const Regex& regex, std::string_view text)
    : program_(regex.program_), text_(text), failed_(program_->code.size()) {
  entered_.resize(program_->loops * (text.size() + 1));
}

std::optional<ByteSpan> RegexSearch::next() {
  for (; from_ <= text_.size(); from_ = from_ < text_.size() ? from_ + character_at(text_, from_).size : from_ + 1) {
    const std::size_t end = match(0, from_);
    if (end == nowhere) continue;
    const ByteSpan found = {from_, end};
    if (found.begin == found.end && found.end == last_end_) continue;  // not empty where the last one ended
    last_end_ = end;
    if (end > from_) {
      from_ = end;
    } else {
      from_ += from_ < text_.size() ? character_at(text_, from_).size : 1;
    }
    return found;
  }
  return std::nullopt;
}

std::size_t RegexSearch::match(std::uint32_t pc, std::size_t position) {
  const std::size_t base = open_.size(), first_entry = entries_.size();
  for (;;) {
    if (program_->code[pc].op == Op::accept) {
      // Failures are worth remembering, what led to success is not one.
      for (std::size_t i = first_entry; i < entries_.size(); ++i) entered_[entries_[i]] = false;
      entries_.resize(first_entry);
      open_.resize(base);
      return position;
    }
    if (!step(pc, position) && !back_up(base, pc, position)) return nowhere;
  }
}

bool RegexSearch::step(std::uint32_t& pc, std::size_t& position) {
  const RegexProgram::Instruction& now = program_->code[pc];
  switch (now.op) {
    case Op::one: {
      if (position == text_.size()) return false;
      const CodePoint c = character_at(text_, position);
      if (!program_->sets[now.set].has(c.value)) return false;
      position += c.size;
      ++pc;
      return true;
    }
    case Op::run:
    case Op::run_possessive:
      return step_run(pc, position);
    case Op::split:
      open_.push_back({.pc = now.otherwise, .position = position});
      pc = now.to;
      return true;
    case Op::loop:
      return step_loop(pc, position);
    case Op::jump:
      pc = now.to;
      return true;
    case Op::ahead:
    case Op::atomic:
      return step_inner(pc, position);
    default:
      if (!holds(pc, position)) return false;
      ++pc;
      return true;
  }
}

bool RegexSearch::step_run(std::uint32_t& pc, std::size_t& position) {
  const RegexProgram::Instruction& now = program_->code[pc];
  const bool open = now.op == Op::run && now.max == RegexProgram::unbounded;
  const Stretch& failed = failed_[pc];
  if (open && position >= failed.begin && position < failed.end) return false;
  const CharacterSet& set = program_->sets[now.set];
  const std::size_t begin = position;
  std::size_t low = position, end = position;
  std::uint32_t count = 0;
  while (count < now.max && position < text_.size()) {
    if (open && count >= now.min && position == failed.begin && failed.begin < failed.end) break;
    const CodePoint c = character_at(text_, position);
    if (!set.has(c.value)) break;
    position += c.size;
    if (++count == now.min) low = position;
  }
  if (count < now.min) return false;
  end = position;
  if (open && position == failed.begin && failed.begin < failed.end) {
    // From here on the run is that of another time, of which only the lengths below its shortest were not tried.
    end = failed.end;
    while (position < failed.low && before(text_, failed.low) != position)
      position += character_at(text_, position).size;
  }
  if (now.op == Op::run && (position > low || open)) {
    open_.push_back({.pc = pc, .is_run = true, .position = position, .low = low, .begin = begin, .end = end});
  }
  ++pc;
  return true;
}

bool RegexSearch::step_loop(std::uint32_t& pc, std::size_t position) {
  const RegexProgram::Instruction& now = program_->code[pc];
  const std::size_t place = now.set * (text_.size() + 1) + position;
  if (entered_[place]) return false;
  entered_[place] = true;
  entries_.push_back(place);
  open_.push_back({.pc = now.otherwise, .position = position});
  pc = now.to;
  return true;
}

bool RegexSearch::step_inner(std::uint32_t& pc, std::size_t& position) {
  const RegexProgram::Instruction& now = program_->code[pc];
  const std::size_t end = match(pc + 1, position);
  if ((end == nowhere) != now.negative) return false;
  if (now.op == Op::atomic) position = end;
  pc = now.to;
  return true;
}

bool RegexSearch::holds(std::uint32_t pc, std::size_t position) const {
  const RegexProgram::Instruction& now = program_->code[pc];
  const auto line_end_at = [&](std::size_t at) { return text_[at] == '\n'; };
  const bool at_end = position == text_.size();
  switch (now.op) {
    case Op::behind:
      return behind(pc, position) != now.negative;
    case Op::line_begin:
      return position == 0 || (!at_end && line_end_at(position - 1));
    case Op::line_end:
      return at_end || line_end_at(position);
    case Op::text_begin:
      return position == 0;
    case Op::text_end:
      return at_end;
    case Op::last_line_end:
      return at_end || (position + 1 == text_.size() && line_end_at(position));
    default: {
      const bool left = position > 0 && word_at(text_, before(text_, position));
      return (left != word_at(text_, position)) == (now.op == Op::word_border);
    }
  }
}

bool RegexSearch::behind(std::uint32_t pc, std::size_t position) const {
  for (const std::vector<std::uint32_t>& way : program_->lookbehinds[program_->code[pc].set]) {
    std::size_t at = position, left = way.size();
    for (; left > 0 && at > 0; --left) {
      at = before(text_, at);
      if (!program_->sets[way[left - 1]].has(character_at(text_, at).value)) break;
    }
    if (left == 0) return true;
  }
  return false;
}

bool RegexSearch::back_up(std::size_t base, std::uint32_t& pc, std::size_t& position) {
  while (open_.size() > base) {
    Choice& choice = open_.back();
    if (!choice.is_run) {
      pc = choice.pc;
      position = choice.position;
      open_.pop_back();
      return true;
    }
    if (choice.position > choice.low) {
      choice.position = position = before(text_, choice.position);
      pc = choice.pc + 1;
      return true;
    }
    // A run that begins later in the same stretch has no other ways to go on than this one had.
    if (program_->code[choice.pc].max == RegexProgram::unbounded)
      failed_[choice.pc] = {choice.begin, choice.low, choice.end};
    open_.pop_back();
  }
  return false;
}

}  // namespace attune
