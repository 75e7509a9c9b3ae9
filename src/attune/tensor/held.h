// Keeps any value in an autograd context from forward to backward.
#pragma once

#include <string>
#include <utility>

#include "attune/tensor/torch.h"

namespace attune {

template <class T>
struct Held final : torch::CustomClassHolder {
  explicit Held(T kept) : value(std::move(kept)) {}
  T value;
};

template <class T>
void hold(torch::autograd::AutogradContext* context, const std::string& key, T value) {
  context->saved_data[key] = at::IValue::make_capsule(c10::make_intrusive<Held<T>>(std::move(value)));
}

// The value held under `key`; it lives as long as the context.
template <class T>
T& held(torch::autograd::AutogradContext* context, const std::string& key) {
  return static_cast<Held<T>*>(context->saved_data.at(key).toCapsule().get())->value;
}

}  // namespace attune
