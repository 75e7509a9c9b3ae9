// The table of the verbs that need libtorch.
#include "attune/cli_torch/verbs.h"

#include <array>

#include "attune/cli/verbs.h"

namespace attune {
namespace {
constexpr std::array table{
    Verb{"train", "", "", run_train},       Verb{"resume", "", "", run_resume},
    Verb{"logps", "", "", run_logps},       Verb{"score", "", "", run_score},
    Verb{"generate", "", "", run_generate}, Verb{"chat", "", "", run_chat},
    Verb{"merge", "", "", run_merge},       Verb{"doctor", "", "", run_doctor},
    Verb{"plan", "", "", run_plan},         Verb{"demo", "", "", run_demo},
    Verb{"diagnose", "", "", run_diagnose}, Verb{"data apply", "", "", run_data_apply_with_models}};
}  // namespace

std::span<const Verb> torch_verbs() { return table; }

}  // namespace attune
