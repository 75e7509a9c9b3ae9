#include "attune/tensor/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/base/random.h"
#include "attune/base/threads.h"

namespace attune {
namespace {

constexpr std::int64_t alignment = 16;  // elements: 64 bytes in float32, a cache line

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

// Draw i of the stream is element i of the tensor as the file holds it, so transposition and threads change nothing.
void fill_normal(Tensor values, double deviation, std::uint64_t seed, const std::string& name) {
  const Tensor drawn = at::empty(values.sizes(), at::TensorOptions(at::kDouble));
  double* data = drawn.mutable_data_ptr<double>();
  parallel_for(static_cast<std::size_t>(drawn.numel()), 4096, [&](std::size_t begin, std::size_t end) {
    Random random(seed, "init/" + name);
    random.seek(begin);
    for (std::size_t i = begin; i < end; ++i) data[i] = deviation * random.normal();
  });
  values.copy_(drawn);
}

// Runs when the backward pass has added up a leaf's gradient, after all uses of the leaf.
class HandOut final : public torch::autograd::PostAccumulateGradHook {
 public:
  HandOut(Parameters::LeafGradient done, std::int64_t begin) : done_(std::move(done)), begin_(begin) {}
  void operator()(const Tensor& leaf) override {
    const at::NoGradGuard no_grad;
    const Tensor gradient = leaf.grad();
    leaf.mutable_grad() = Tensor();
    done_(begin_, gradient.contiguous());
  }

 private:
  Parameters::LeafGradient done_;
  std::int64_t begin_;
};

}  // namespace

Parameters::Parameters(std::vector<ParameterSpec> specs, const at::TensorOptions& options) : specs_(std::move(specs)) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    const ParameterSpec& spec = specs_[i];
    std::int64_t row = 0;
    for (std::size_t p = 0; p < spec.parts.size(); ++p) {
      require(places_.emplace(spec.parts[p].name, Place{i, p, row}).second, "a parameter name used twice");
      row += spec.parts[p].rows;
    }
    require(row == spec.shape.at(0), "parts of a parameter that do not fill it");
    offsets_.push_back(total);
    total += (elements(spec.shape) + alignment - 1) / alignment * alignment;
  }
  const at::NoGradGuard no_grad;
  flat_ = at::zeros({total}, options);
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    leaves_.push_back(flat_.narrow(0, offsets_[i], elements(specs_[i].shape)).view(specs_[i].shape).detach());
  }
}

const Parameters::Place& Parameters::place(std::string_view name) const {
  const auto found = places_.find(name);
  require(found != places_.end(), "a parameter that does not exist: " + std::string(name));
  return found->second;
}

const Tensor& Parameters::leaf_of(std::string_view part) const { return leaves_[place(part).leaf]; }

std::vector<std::string> Parameters::names() const {
  std::vector<std::string> result;
  for (const ParameterSpec& spec : specs_) {
    for (const ParameterPart& part : spec.parts) result.push_back(part.name);
  }
  return result;
}

Tensor Parameters::part(std::string_view name) const {
  const Place& at = place(name);
  return leaves_[at.leaf].detach().narrow(0, at.begin, specs_[at.leaf].parts[at.part].rows);
}

Tensor Parameters::file_view(std::string_view name) const {
  const Place& at = place(name);
  const Tensor values = part(name);
  return specs_[at.leaf].parts[at.part].transposed ? values.t() : values;
}

std::int64_t Parameters::count() const {
  std::int64_t total = 0;
  for (const ParameterSpec& spec : specs_) total += elements(spec.shape);
  return total;
}

void Parameters::require_gradients(bool on) {
  if (on && !gradient_.defined()) gradient_ = at::zeros_like(flat_);
  if (!on) gradient_ = Tensor();
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaves_[i].set_requires_grad(on);
    // A defined gradient is accumulated into in place by the engine: the flat buffer is what backward fills.
    leaves_[i].mutable_grad() =
        on ? gradient_.narrow(0, offsets_[i], leaves_[i].numel()).view(specs_[i].shape) : Tensor();
  }
}

void Parameters::hand_out_gradients(LeafGradient done) {
  require_gradients(false);
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaves_[i].set_requires_grad(true);
    torch::autograd::impl::set_post_acc_grad_hooks(leaves_[i], std::make_unique<HandOut>(done, offsets_[i]));
  }
}

void Parameters::zero_gradients() {
  if (gradient_.defined()) gradient_.zero_();
}

std::vector<std::pair<std::int64_t, std::int64_t>> Parameters::matrix_ranges() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].shape.size() < 2) continue;
    ranges.emplace_back(offsets_[i], offsets_[i] + elements(specs_[i].shape));
  }
  return ranges;
}

Parameters Parameters::clone(at::ScalarType dtype) const {
  Parameters copy(specs_, options().dtype(dtype));
  copy.flat_.copy_(flat_);
  return copy;
}

void Parameters::initialize(std::uint64_t seed) {
  for (const ParameterSpec& spec : specs_) {
    for (const ParameterPart& part : spec.parts) {
      const Tensor values = file_view(part.name);
      if (spec.initial.deviation > 0) {
        fill_normal(values, spec.initial.deviation, seed, part.name);
      } else {
        values.fill_(spec.initial.constant);
      }
    }
  }
}

std::string Parameters::content_hash() const {
  Hasher hasher;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    for (const ParameterPart& part : specs_[i].parts) hasher.add(part.name).add(";");
    for (const std::int64_t size : specs_[i].shape) hasher.add(std::to_string(size)).add(",");
    const Tensor values = leaves_[i].detach().to(at::kCPU);
    hasher.add({static_cast<const char*>(values.const_data_ptr()), values.nbytes()});
  }
  return hasher.hex();
}

}  // namespace attune
