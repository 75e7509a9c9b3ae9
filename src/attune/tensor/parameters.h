// Weights are storage: an ordered list of leaves, each a view into one flat buffer, and one flat buffer of gradients.
// Optimisers, norms, averages and checkpoints work on the flat buffers; models bind the views once.
//
// A leaf may hold several tensors of a checkpoint one above the other (q, k and v; gate and up), so that one matrix
// product serves them all. Those are its parts; files and adapters name parts, arithmetic sees leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "attune/tensor/torch.h"

namespace attune {

// How a tensor starts when a model is made from a config: constant, or normal with that standard deviation.
struct Initial {
  double constant = 0;
  double deviation = 0;
};

// One tensor of a checkpoint: rows [begin, begin + rows) of its leaf, in file order or transposed (GPT-2's Conv1D).
struct ParameterPart {
  std::string name = {};
  std::int64_t rows = 0;
  bool transposed = false;  // the file holds [in, out]
};

struct ParameterSpec {
  std::vector<std::int64_t> shape = {};
  std::vector<ParameterPart> parts = {};  // at least one; rows sum to shape[0]
  Initial initial = {};
};

class Parameters {
 public:
  Parameters() = default;
  // Zeros of the element type and on the device of `options`. Names of parts are unique.
  Parameters(std::vector<ParameterSpec> specs, const at::TensorOptions& options);

  std::size_t size() const { return specs_.size(); }
  const ParameterSpec& spec(std::size_t leaf) const { return specs_[leaf]; }
  const Tensor& leaf(std::size_t index) const { return leaves_[index]; }
  const Tensor& leaf_of(std::string_view part) const;  // the leaf that holds the part; InternalError when there is none

  bool contains(std::string_view part) const { return places_.contains(part); }
  std::vector<std::string> names() const;  // of all parts, in storage order
  // The part's rows of its leaf, detached (a view: writing to it writes the weight), [out, in] also for transposed
  // parts.
  Tensor part(std::string_view name) const;
  // As the file holds it: `part` transposed back where the file has [in, out].
  Tensor file_view(std::string_view name) const;

  const Tensor& flat() const { return flat_; }          // [n]; leaves start at multiples of 16 elements, gaps stay 0
  const Tensor& gradient() const { return gradient_; }  // [n], undefined until require_gradients(true)
  std::int64_t count() const;                           // elements of all leaves, without gaps
  at::ScalarType dtype() const { return flat_.scalar_type(); }
  at::Device device() const { return flat_.device(); }
  at::TensorOptions options() const { return flat_.options(); }  // element type and device

  // Makes the leaves trainable and their gradients views of one zeroed flat buffer, or frozen.
  void require_gradients(bool on);
  // Makes the leaves trainable without that buffer: a backward pass that reaches a leaf hands its whole gradient to
  // `done` with the leaf's place in flat(), and frees it. The parameters must stay where they are.
  using LeafGradient = std::function<void(std::int64_t begin, const Tensor& gradient)>;
  void hand_out_gradients(LeafGradient done);
  void zero_gradients();

  // [begin, end) of flat() that hold matrices: what weight decay usually applies to (not biases and norms).
  std::vector<std::pair<std::int64_t, std::int64_t>> matrix_ranges() const;

  // Own storage on the same device, same values, frozen. `dtype` converts.
  Parameters clone() const { return clone(dtype()); }
  Parameters clone(at::ScalarType dtype) const;

  // Every part drawn from the stream "init/<part name>" of the seed, so a tensor's start depends on its name alone.
  void initialize(std::uint64_t seed);

  // XXH3-128 over names, shapes and values, wherever these lie.
  std::string content_hash() const;

 private:
  struct Place {
    std::size_t leaf = 0, part = 0;
    std::int64_t begin = 0;  // first row
  };
  const Place& place(std::string_view name) const;

  std::vector<ParameterSpec> specs_;
  std::vector<std::int64_t> offsets_;
  std::vector<Tensor> leaves_;
  std::map<std::string, Place, std::less<>> places_;
  Tensor flat_, gradient_;
};

}  // namespace attune
