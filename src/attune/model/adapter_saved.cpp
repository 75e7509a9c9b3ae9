// The modules that an adapter saves whole, in place of the model's own.
#include <algorithm>

#include "attune/base/errors.h"
#include "attune/base/hash.h"
#include "attune/model/adapter.h"
#include "attune/model/adapter_layout.h"

namespace attune {
namespace {

std::string file_name(const std::string& part) { return std::string(adapter_prefix) + part; }

void require_place(bool tied, const std::vector<std::string>& saved) {
  if (!tied || saved.empty()) return;
  throw UsageError({}, "an adapter with an embedding or a head of its own, on a model that ties the two",
                   "such an adapter kept beside its model", "or a model with tie_word_embeddings false");
}

}  // namespace

Head Adapter::head(Head own) const {
  if (head_.empty()) return own;
  own.weight = parameters_.leaf_of(file_name(head_ + ".weight"));
  if (own.bias.defined()) own.bias = parameters_.leaf_of(file_name(head_ + ".bias"));
  return own;
}

Tensor Adapter::embedding() const {
  return embedding_.empty() ? Tensor() : parameters_.leaf_of(file_name(embedding_ + ".weight"));
}

void Adapter::copy_saved(const Parameters& base) const {
  require_place(tied_, saved_);
  for (const std::string& name : saved_) base.part(name).copy_(parameters_.part(file_name(name)));
}

void Adapter::exchange_saved(const Parameters& base) {
  require_place(tied_, saved_);
  std::vector<Tensor> own;
  for (const std::string& name : saved_) own.push_back(base.part(name).clone());
  copy_saved(base);
  for (std::size_t i = 0; i < own.size(); ++i) parameters_.part(file_name(saved_[i])).copy_(own[i]);
}

std::string Adapter::hash_without_saved(const Parameters& base) const {
  if (saved_.empty()) return base.content_hash();
  Hasher hasher;
  for (const std::string& name : base.names()) {
    if (std::find(saved_.begin(), saved_.end(), name) != saved_.end()) continue;
    const Tensor values = base.part(name).to(at::kCPU).contiguous();
    hasher.add(name).add(";").add({static_cast<const char*>(values.const_data_ptr()), values.nbytes()});
  }
  return hasher.hex();
}

}  // namespace attune
