// Ratings that move with every match, in the order in which they were played: Elo, and Gaussian skills as in TrueSkill.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/stats/matches.h"

namespace attune {

struct EloOptions {
  double k = 4, start = 1000, scale = 400;  // FastChat's leaderboard: K 4, base 10
};

// R += weight K (score - 1 / (1 + 10^(-d / scale))) for a, and the same off b (Elo 1978).
std::vector<double> elo_ratings(std::span<const Match> matches, std::int32_t contestants,
                                const EloOptions& options = {});

struct SkillOptions {
  double mean = 25, deviation = 25.0 / 3;  // of a newcomer's skill
  double performance = 25.0 / 6;           // how far one match's performance strays from skill (beta)
  double drift = 25.0 / 300;               // what skill may change between matches (tau)
  double tie_chance = 0.1;                 // of two equals; needed even where nobody ties
};

struct Skill {
  double mean = 0, deviation = 0;
  double cautious() const { return mean - 3 * deviation; }
};

// TrueSkill's update for matches of two (Herbrich et al. 2006): win, loss or tie, each once whatever its weight; weight
// 0 is left out. Scores must be 0, 0.5 or 1.
std::vector<Skill> online_skills(std::span<const Match> matches, std::int32_t contestants,
                                 const SkillOptions& options = {});

}  // namespace attune
