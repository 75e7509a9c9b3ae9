// The weights of a model folder as they lie on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/tensor/safetensors.h"

namespace attune {

// model.safetensors or its shards. Throws MissingInput when there are none, and FormatError for pickled weights, which
// are refused without being opened.
SafetensorsFolder open_weights(const Path& folder);

std::string shape_text(const std::vector<std::int64_t>& shape);  // "[2, 3]", for messages

// What is wrong with a folder's tensors, said all at once: at most ten of them and the count of the rest.
class ProblemList {
 public:
  void add(const std::string& problem);
  // Throws FormatError when there was a problem.
  void raise(const Path& path, const std::string& expected, const std::string& remedy) const;

 private:
  std::size_t count_ = 0;
  std::string text_;
};

}  // namespace attune
