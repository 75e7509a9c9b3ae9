#include "attune/migrate/trl.h"

#include <gtest/gtest.h>

#include "attune/base/files.h"
#include "attune/config/node.h"
#include "attune/migrate/run_text.h"
#include "support/temporary.h"

namespace attune {
namespace {

Translation translate(const std::string& command, bool lossy = false) {
  return translate_trl(read_trl_command({.text = command, .file = "train.sh"}), lossy);
}

std::string error_of(const std::string& command) {
  try {
    translate(command);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The value of a path in the run file.
std::string value_of(const std::string& command, std::initializer_list<std::string_view> path) {
  const ConfigNode root = parse_yaml(translate(command).text, "run.yaml");
  const ConfigNode* node = &root;
  for (const auto key : path) {
    node = node->find(key);
    if (node == nullptr) return "nothing";
  }
  return node->text;
}

TEST(Trl, TenArgumentsBecomeExactlyThisRunFile) {
  const auto run = translate(
      "accelerate launch --num_processes 2 examples/scripts/dpo.py \\\n"
      "  --model_name_or_path ./models/base --dataset_name pairs.jsonl --learning_rate 5e-7 --beta 0.05 \\\n"
      "  --loss_type ipo --per_device_train_batch_size 2 --gradient_accumulation_steps 8 \\\n"
      "  --lr_scheduler_type cosine --bf16 --output_dir 'my runs/dpo'\n");
  EXPECT_EQ(run.objective, "ipo");
  EXPECT_EQ(run.text, R"(# attune train ipo RUN.yaml
#
# Translated from a command of TRL's dpo. Behind each value stands the argument it comes from. docs/coming-from-trl.md
# has all of them.
model:
  path: ./models/base  # model_name_or_path
data:
  train: pairs.jsonl  # dataset_name
  max_tokens: 1024  # max_length, TRL's default
  shuffle: true  # train_sampling_strategy, TRL's default
objective: {ipo: {beta: 0.05}}  # loss_type
optimizer:
  adamw:
    lr: 5e-7  # learning_rate
    weight_decay: 0.0  # weight_decay, TRL's default
    beta1: 0.9  # adam_beta1, TRL's default
    beta2: 0.999  # adam_beta2, TRL's default
    epsilon: 1e-08  # adam_epsilon, TRL's default
  max_grad_norm: 1.0  # max_grad_norm, TRL's default
schedule:
  warmup: 0  # warmup_steps, TRL's default
  decay: cosine  # lr_scheduler_type
batch:
  records: 32  # 2 a device x 8 accumulated x 2 devices
epochs: 3.0  # num_train_epochs, TRL's default
save_every: 500  # save_steps, TRL's default
seed: 42  # seed, TRL's default
out: "my runs/dpo"  # output_dir
#
# Not carried over:
#   - bf16: attune computes in float32 unless model.dtype asks for another, so results are finer
)");
}

TEST(Trl, TheTrainerIsFoundHoweverItIsStarted) {
  for (const char* command :
       {"trl kto --seed 1", "python -m trl kto --seed 1", "/opt/venv/bin/trl kto --seed=1",
        "CUDA_VISIBLE_DEVICES=0 python examples/scripts/kto.py --seed 1",
        "torchrun --nproc-per-node 2 my/run_kto.py --seed 1", "accelerate launch -m trl.scripts.kto --seed 1",
        "uv run trl kto --seed 1 > log 2>&1 &"}) {
    EXPECT_EQ(read_trl_command({.text = command, .file = "f"}).trainer, "kto") << command;
  }
  EXPECT_EQ(read_trl_command({.text = "torchrun --nproc-per-node 2 --nnodes=3 kto.py", .file = "f"}).devices, 6);
  EXPECT_EQ(read_trl_command({.text = "trl kto --accelerate_config zero2", .file = "f"}).devices, 8);
  EXPECT_EQ(read_trl_command({.text = "trl kto --num_processes 3", .file = "f", .devices = 5}).devices, 5);
}

TEST(Trl, WordsThatOnlyLookLikeTrainingCommandsArePassedOver) {
  const std::string text = "pip install -U trl peft\ncd ~/trl\ncp a.py b.py\necho trl dpo is next; trl sft --seed 1";
  EXPECT_EQ(error_of("pip install trl peft"),
            "train.sh: found no command of TRL; expected 'trl dpo ...' or 'accelerate launch .../dpo.py ...'");
  EXPECT_NE(error_of(text).find("a second training command"), std::string::npos) << "echo is a command as any other";
  EXPECT_EQ(
      error_of("trl peft --seed 1"),
      "train.sh:1: found the trainer 'peft', for which there is no translation; expected sft, dpo, kto, cpo or orpo");
}

TEST(Trl, SeveralDevicesWithoutTheirNumberAreAskedFor) {
  EXPECT_NE(error_of("accelerate launch --multi_gpu dpo.py --seed 1").find("--devices N"), std::string::npos);
  EXPECT_NE(error_of("torchrun --nproc_per_node gpu dpo.py --seed 1").find("--devices N"), std::string::npos);
  EXPECT_EQ(read_trl_command({.text = "torchrun --nproc_per_node gpu dpo.py", .file = "f", .devices = 2}).devices, 2);
  EXPECT_EQ(read_trl_command({.text = "deepspeed --num_gpus 4 dpo.py", .file = "f"}).devices, 4);
}

TEST(Trl, AYamlFileNamesItsTrainerOutsideAndListsItsDataSets) {
  const TrlSource source{.text =
                             "datasets:\n  - {path: a.jsonl}\n  - {path: json, data_files: [b.jsonl, c.jsonl]}\n"
                             "test_split_size: 0.1\nlora_alpha: 8\n",
                         .file = "c.yaml",
                         .trainer = "sft"};
  const std::string text = translate_trl(read_trl_command(source), false).text;
  EXPECT_NE(text.find("train: [a.jsonl, b.jsonl, c.jsonl]"), std::string::npos) << text;
  EXPECT_NE(text.find("held_out: 0.1"), std::string::npos) << text;
  EXPECT_NE(text.find("lora_alpha: counts only with use_peft"), std::string::npos) << text;
}

TEST(Trl, TheCommandLineOutranksTheFileOfConfig) {
  const testing::TemporaryDirectory folder;
  write_durably(disk(), folder / "c.yaml", "beta: 0.2\nseed: 7\n");
  write_durably(disk(), folder / "accelerate.yaml", "distributed_type: MULTI_GPU\nnum_processes: 6\n");
  const auto command =
      read_trl_command({.text = "accelerate launch --config_file accelerate.yaml dpo.py --config c.yaml --beta 0.3",
                        .file = (folder / "train.sh").string()});
  EXPECT_EQ(command.find("beta")->text, "0.3");
  EXPECT_EQ(command.find("seed")->text, "7");
  EXPECT_EQ(command.devices, 6);
}

TEST(Trl, LabelSmoothingIsWrittenOnlyWhereTrlReadsIt) {
  EXPECT_EQ(value_of("trl dpo --label_smoothing 0.1", {"objective", "dpo", "label_smoothing"}), "nothing");
  EXPECT_EQ(value_of("trl dpo --loss_type robust --label_smoothing 0.1", {"objective", "robust", "label_smoothing"}),
            "0.1");
  EXPECT_EQ(value_of("trl cpo --loss_type hinge --label_smoothing 0.1", {"objective", "cpo", "label_smoothing"}),
            "nothing");
}

TEST(Trl, ConventionsThatDifferAreConverted) {
  EXPECT_EQ(value_of("trl dpo --lr_scheduler_type constant --warmup_steps 10", {"schedule", "warmup"}), "0");
  EXPECT_EQ(value_of("trl dpo --lr_scheduler_type constant_with_warmup --warmup_steps 10", {"schedule", "warmup"}),
            "10");
  EXPECT_EQ(value_of("trl sft --lr_scheduler_type cosine_with_min_lr --lr_scheduler_kwargs '{\"min_lr\": 1e-5}'",
                     {"schedule", "floor"}),
            "0.5");
  EXPECT_EQ(value_of("trl kto --beta 0.2", {"data", "shuffle"}), "false");
  EXPECT_EQ(value_of("trl sft --max_length None", {"data", "max_tokens"}), "1000000");
  EXPECT_EQ(value_of("trl orpo --seed 1", {"objective", "orpo", "nll_scope"}), "full");
  EXPECT_EQ(value_of("trl cpo --loss_type simpo", {"objective", "simpo", "gamma"}), "0.5");
  EXPECT_EQ(value_of("trl cpo --loss_type alphapo", {"objective", "simpo", "sft_weight"}), "0");
  EXPECT_EQ(value_of("trl dpo --no-gradient_checkpointing", {"model", "recompute"}), "false");
}

TEST(Trl, WhatChangesTheResultIsRefusedUnlessItMayBeLost) {
  EXPECT_EQ(
      error_of("trl dpo --use_peft --lora_dropout 0.1"),
      "train.sh:1 (field lora_dropout): found what changes the training and has no counterpart: attune's adapters "
      "have no dropout (TRL's default, when not given, is only noted); change it, or drop it with --lossy");
  EXPECT_EQ(error_of("trl dpo --use_peft --lora_dropout 0"), "");
  EXPECT_EQ(error_of("trl dpo --lora_dropout 0.1"), "") << "without use_peft it does nothing";
  EXPECT_NE(error_of("trl sft --packing"), "");
  EXPECT_EQ(error_of("trl sft --packing false --neftune_noise_alpha None --completion_only_loss True"), "");
  const std::string text = translate("trl sft --packing --neftune_noise_alpha 5", true).text;
  EXPECT_NE(text.find("neftune_noise_alpha: DROPPED"), std::string::npos) << text;
}

TEST(RunText, QuotesWhatYamlWouldReadOtherwise) {
  for (const char* text : {"true", "No", "1e5", "a b", "a: b", "#a", "", "a\nb", "~", "-", "\"'"}) {
    const ConfigNode node = parse_yaml("key: " + yaml_text(text) + "  # remark", "f");
    EXPECT_EQ(node.find("key")->text, text);
    EXPECT_TRUE(node.find("key")->quoted) << text;
  }
  EXPECT_EQ(yaml_text("models/a-b_c.d"), "models/a-b_c.d");
}

TEST(RunText, ACommentStaysOneWhateverItHolds) {
  EXPECT_EQ(comment("a\nb", "#   - "), "#   - a b\n");
  const std::string text = comment(std::string(100, 'x') + " " + std::string(100, 'y'), "#   - ");
  EXPECT_EQ(text, "#   - " + std::string(100, 'x') + "\n#     " + std::string(100, 'y') + "\n");
}

}  // namespace
}  // namespace attune
