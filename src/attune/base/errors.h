// The error family: what went wrong, where, what was expected and what to do, on one line.
//
// Thrown for what ends a command; expected outcomes (a bad row in a report, the end of a stream) are values instead.
// Caught in three places only: cli/main.cpp, the HTTP handler, and thread borders.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace attune {

// Each kind has one row in a table: its name in messages and the exit code of the process.
enum class ErrorKind {
  usage,          // 2: the command line is wrong
  data,           // 65: a data row is wrong
  format,         // 65: weights, tokenizer, template or checkpoint are wrong
  missing_input,  // 66: a file that should be there is not
  peer,           // 69: an endpoint or another rank does not answer
  internal,       // 70: a bug of attune, never reachable from input
  device,         // 71: an accelerator or its memory
  output,         // 73: an output cannot be created
  io,             // 74: reading or writing failed
  interrupted,    // 75: stopped, and resumable
  permission,     // 77: not permitted
  config,         // 78: the run file is wrong
};

int exit_code(ErrorKind kind);
std::string_view name(ErrorKind kind);  // "usage", "data", ...: the CODE of `attune: error[CODE]: ...`

// Where a problem lies. Unset parts (empty, or below 0) are left out of the message.
struct Where {
  std::string file = {};
  std::int64_t line = -1;    // from 1, in the decompressed stream
  std::int64_t offset = -1;  // bytes, for binary files
  std::string record = {};   // a row's id or number
  std::string field = {};    // a path such as messages[2].role
  std::string str() const;   // "FILE:LINE (record R, field F)", empty when nothing is set
};

struct Problem {
  Where where = {};
  std::string found = {};     // never the content of a user's data
  std::string expected = {};  // may be empty
  std::string remedy = {};    // may be empty
  std::string str() const;    // "WHERE: found X; expected Y; do Z"
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, Problem problem);
  ErrorKind kind() const { return kind_; }
  const Problem& problem() const { return problem_; }
  const char* what() const noexcept override { return message_.c_str(); }  // one line, without the "attune: error" head
  std::string json() const;                                                // the same as one JSON object

 private:
  ErrorKind kind_;
  Problem problem_;
  std::string message_;
};

// One type a kind, so that tests and the three catch places can tell them apart by type.
template <ErrorKind K>
class ErrorOf final : public Error {
 public:
  explicit ErrorOf(Problem problem) : Error(K, std::move(problem)) {}
  ErrorOf(Where where, std::string found, std::string expected = {}, std::string remedy = {})
      : Error(K, {std::move(where), std::move(found), std::move(expected), std::move(remedy)}) {}
};
using UsageError = ErrorOf<ErrorKind::usage>;
using DataError = ErrorOf<ErrorKind::data>;
using FormatError = ErrorOf<ErrorKind::format>;
using MissingInput = ErrorOf<ErrorKind::missing_input>;
using PeerError = ErrorOf<ErrorKind::peer>;
using InternalError = ErrorOf<ErrorKind::internal>;
using DeviceError = ErrorOf<ErrorKind::device>;
using OutputError = ErrorOf<ErrorKind::output>;
using IoError = ErrorOf<ErrorKind::io>;
using Interrupted = ErrorOf<ErrorKind::interrupted>;
using PermissionError = ErrorOf<ErrorKind::permission>;
using ConfigError = ErrorOf<ErrorKind::config>;

// Throws InternalError naming the place unless `holds`: for what only a bug can break.
void require(bool holds, std::string_view what);

// Candidate nearest in spelling to `word` (edit distance at most a third of its length), empty if none is near.
template <class Range>
std::string nearest(std::string_view word, const Range& candidates);
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string nearest(std::string_view word, const Range& candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

}  // namespace attune
