// Arithmetic on the weights of models of one shape: soups, extrapolation, spherical interpolation, WARP.
//
// A rule works on one tensor of each model; combine_folders() applies it file by file. The inputs are mapped, never
// loaded whole, and of the result one file is in memory at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "attune/base/files.h"
#include "attune/tensor/torch.h"

namespace attune {

// The weighted mean sum(w_i theta_i) / sum(w_i), weights >= 0 and not all 0. Equal weights are the uniform soup
// (Wortsman et al. 2022, "Model soups", arXiv:2203.05482, section 2).
Tensor soup(std::span<const Tensor> models, std::span<const double> weights);

// aligned + alpha (aligned - start): the way from the start goes on beyond the aligned model (ExPO: Zheng et al. 2024,
// "Model extrapolation expedites alignment", arXiv:2404.16792, eq. 1).
Tensor extrapolate(const Tensor& aligned, const Tensor& start, double alpha);

// sin((1 - t) w) / sin w a + sin(t w) / sin w b with w the angle between the tensors taken as vectors (Shoemake 1985,
// "Animating rotation with quaternion curves", section 3.3). Where the arc is not defined (one of them zero, or the two
// parallel or opposite) the straight line (1 - t) a + t b.
Tensor slerp(const Tensor& a, const Tensor& b, double t);

// start + eta times the spherical mean of the task vectors policy - start (Rame et al. 2024, "WARP", arXiv:2406.16768,
// sections 3.2 and 3.3). More than two are merged one after the other, the m-th with t = 1 / m, which gives each the
// same share. eta = 1 keeps the merged policy, eta = 0 is the start.
Tensor warp(const Tensor& start, std::span<const Tensor> policies, double eta);

// One tensor of each model, in the order of the folders and in float32, or in float64 where a file holds that.
using WeightRule = std::function<Tensor(std::span<const Tensor>)>;

// Writes to `out` what the rule makes of each tensor, in the element types and the files of the first folder, with its
// config.json and generation_config.json. Tensors that are not of floating point are the first folder's.
// Throws FormatError when names or shapes differ or a result is not finite, MissingInput where a folder has no weights,
// OutputError when `out` is one of the folders or holds weights already.
void combine_folders(Fs& fs, std::span<const Path> folders, const Path& out, const WeightRule& rule);

}  // namespace attune
