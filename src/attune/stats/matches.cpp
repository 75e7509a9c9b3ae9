#include "attune/stats/matches.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "attune/base/errors.h"

namespace attune {
namespace {

using Group = std::vector<std::int32_t>;
using Edges = std::vector<std::vector<std::int32_t>>;

void check(const Match& match, std::int32_t contestants) {
  require(match.a >= 0 && match.a < contestants && match.b >= 0 && match.b < contestants, "an unknown contestant");
}

// Depth-first without recursion; appends each place when all behind it is done.
void visit(std::int32_t start, const Edges& edges, std::vector<bool>& seen, Group& done) {
  std::vector<std::pair<std::int32_t, std::size_t>> stack;
  const auto enter = [&](std::int32_t place) {
    seen[static_cast<std::size_t>(place)] = true;
    stack.emplace_back(place, 0);
  };
  enter(start);
  while (!stack.empty()) {
    auto& [place, next] = stack.back();
    const auto& out = edges[static_cast<std::size_t>(place)];
    if (next == out.size()) {
      done.push_back(place);
      stack.pop_back();
    } else if (const std::int32_t to = out[next++]; !seen[static_cast<std::size_t>(to)]) {
      enter(to);
    }
  }
}

}  // namespace

std::vector<Match> merged(std::span<const Match> matches) {
  std::map<std::tuple<std::int32_t, std::int32_t, double>, double> sums;
  for (const Match& match : matches) {
    const bool turned = match.a > match.b;
    const auto key = turned ? std::tuple(match.b, match.a, 1 - match.score) : std::tuple(match.a, match.b, match.score);
    sums[key] += match.weight;
  }
  std::vector<Match> result;
  for (const auto& [key, weight] : sums) {
    result.push_back({.a = std::get<0>(key), .b = std::get<1>(key), .score = std::get<2>(key), .weight = weight});
  }
  return result;
}

std::vector<Group> connected_groups(std::span<const Match> matches, std::int32_t contestants) {
  Group parent(static_cast<std::size_t>(contestants));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::int32_t place) {
    while (parent[static_cast<std::size_t>(place)] != place) {
      auto& above = parent[static_cast<std::size_t>(place)];
      above = parent[static_cast<std::size_t>(above)];
      place = above;
    }
    return place;
  };
  for (const Match& match : matches) {
    check(match, contestants);
    if (match.weight > 0) parent[static_cast<std::size_t>(root(match.a))] = root(match.b);
  }
  std::map<std::int32_t, std::size_t> number;
  std::vector<Group> groups;
  for (std::int32_t i = 0; i < contestants; ++i) {
    const auto [place, fresh] = number.try_emplace(root(i), groups.size());
    if (fresh) groups.emplace_back();
    groups[place->second].push_back(i);
  }
  return groups;
}

// Kosaraju's algorithm on the edges winner -> loser; ties go both ways.
std::vector<Group> winning_groups(std::span<const Match> matches, std::int32_t contestants) {
  const auto size = static_cast<std::size_t>(contestants);
  Edges beats(size), beaten(size);
  const auto edge = [&](std::int32_t from, std::int32_t to) {
    beats[static_cast<std::size_t>(from)].push_back(to);
    beaten[static_cast<std::size_t>(to)].push_back(from);
  };
  for (const Match& match : matches) {
    check(match, contestants);
    if (match.weight > 0 && match.score > 0) edge(match.a, match.b);
    if (match.weight > 0 && match.score < 1) edge(match.b, match.a);
  }
  Group order;
  std::vector<bool> seen(size, false);
  for (std::int32_t i = 0; i < contestants; ++i) {
    if (!seen[static_cast<std::size_t>(i)]) visit(i, beats, seen, order);
  }
  seen.assign(size, false);
  std::vector<Group> groups;
  for (auto place = order.rbegin(); place != order.rend(); ++place) {
    if (seen[static_cast<std::size_t>(*place)]) continue;
    groups.emplace_back();
    visit(*place, beaten, seen, groups.back());
    std::sort(groups.back().begin(), groups.back().end());
  }
  return groups;
}

}  // namespace attune
