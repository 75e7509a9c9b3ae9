#include "attune/migrate/trl_keys.h"

#include <array>

namespace attune {
namespace {

constexpr std::array trainers{TrlTrainer{"sft", 's'},    TrlTrainer{"dpo", 'd'}, TrlTrainer{"kto", 'k'},
                              TrlTrainer{"reward", 'r'}, TrlTrainer{"cpo", 'c'}, TrlTrainer{"orpo", 'o'}};

constexpr std::string_view all = "sdkrco";
constexpr TrlFate copies = TrlFate::copies;
constexpr TrlFate combines = TrlFate::combines;
constexpr TrlFate leaves = TrlFate::leaves;
constexpr TrlFate refuses = TrlFate::refuses;

// Reasons that several rows share.
constexpr std::string_view speed = "speed only; attune chooses by itself";
constexpr std::string_view devices = "how TRL spreads over devices; attune trains in one process";
constexpr std::string_view logging = "attune logs every step to metrics.jsonl under TRL's metric names";
constexpr std::string_view hub = "attune uses no network";
constexpr std::string_view loader = "how Python feeds batches; attune reads and tokenises once";
constexpr std::string_view precision =
    "attune computes in float32 unless model.dtype asks for another, so results are finer";
constexpr std::string_view dropout = "attune trains without dropout";
constexpr std::string_view evaluation = "evaluation uses the same micro-batches and metrics as training";

// In the order of the page. Older names that people still have in their files stand behind those of TRL 1.16.
constexpr TrlKey keys[] = {
    // the model
    {"model_name_or_path", all, "", combines, "model.path", "a folder: a name of the Hub has to be downloaded first"},
    {"model_revision", all, "main", refuses, "", "download that revision, and name its folder"},
    {"dtype", all, "float32", leaves, "", precision},
    {"torch_dtype", all, "", leaves, "", precision},
    {"attn_implementation", all, "", leaves, "", speed},
    {"trust_remote_code", all, "false", leaves, "", "attune runs no code of a model; its families are built in"},
    {"model_init_kwargs", all, "", refuses, "", "arguments of Python constructors; put what matters into config.json"},
    {"ignore_bias_buffers", all, "false", leaves, "", devices},
    {"router_aux_loss_coef", "sdkr", "", refuses, "", "attune takes router_aux_loss_coef from the model's config.json"},
    {"disable_dropout", "dkrco", "true", refuses, "", dropout},
    {"is_encoder_decoder", "co", "", leaves, "", "the model's config says so"},
    // the adapter
    {"use_peft", all, "false", combines, "model.adapter", "an adapter is trained instead of all weights"},
    {"lora_r", all, "16", combines, "model.adapter.rank", "with use_peft"},
    {"lora_alpha", all, "32", combines, "model.adapter.alpha", "with use_peft"},
    {"lora_target_modules", all, "", combines, "model.adapter.targets",
     "with use_peft; unset: an empty list, which is the family's default as in PEFT"},
    {"use_rslora", all, "false", combines, "model.adapter.rslora", "with use_peft"},
    {"lora_dropout", all, "0.05", refuses, "",
     "attune's adapters have no dropout (TRL's default, when not given, is only noted)", "0"},
    {"lora_target_parameters", all, "", refuses, "", "attune adapts matrices by module name"},
    {"lora_modules_to_save", all, "", combines, "model.adapter.modules_to_save", "with use_peft"},
    {"lora_task_type", all, "CAUSAL_LM", leaves, "", "the objective says it"},
    {"use_dora", all, "false", combines, "model.adapter.dora", "with use_peft"},
    {"load_in_8bit", all, "false", refuses, "", "attune keeps the base weights in full"},
    {"load_in_4bit", all, "false", refuses, "", "attune keeps the base weights in full"},
    {"bnb_4bit_quant_type", all, "nf4", leaves, "", "counts only with load_in_4bit"},
    {"use_bnb_nested_quant", all, "false", leaves, "", "counts only with load_in_4bit"},
    {"bnb_4bit_quant_storage", all, "", leaves, "", "counts only with load_in_4bit"},
    // the data
    {"dataset_name", all, "", combines, "data.train", "a file or folder: a name of the Hub has to be downloaded first"},
    {"datasets", all, "", combines, "data.train", "YAML only: a list of parts, by path or data_files"},
    {"dataset_config", all, "", leaves, "", "name that subset's files in data.train"},
    {"dataset_train_split", all, "train", leaves, "", "name that split's files in data.train"},
    {"dataset_test_split", all, "test", leaves, "", "name that split's files in data.eval"},
    {"test_split_size", all, "", combines, "data.held_out", "whole questions are held out, not rows"},
    {"dataset_streaming", all, "false", leaves, "", loader},
    {"streaming", all, "false", leaves, "", loader},
    {"dataset_num_proc", all, "", leaves, "", loader},
    {"dataset_kwargs", "s", "", refuses, "", "arguments of Python functions that prepare the data"},
    {"dataset_text_field", "s", "text", refuses, "", "rename the column to text"},
    {"max_length", all, "1024", combines, "data.max_tokens", "prompt and answer together; None: 1000000"},
    {"max_seq_length", "s", "", combines, "data.max_tokens", "the older name of max_length"},
    {"truncation_mode", "sd", "keep_start", refuses, "", "attune cuts answers at the end"},
    {"max_prompt_length", "dkco", "", refuses, "", "attune has one limit for prompt and answer together: max_length"},
    {"max_completion_length", "dkco", "", refuses, "",
     "attune has one limit for prompt and answer together: max_length"},
    {"chat_template_path", "sr", "", combines, "data.chat_template", "a .jinja file"},
    {"eos_token", "sr", "", refuses, "", "set eos_token in tokenizer_config.json"},
    {"pad_token", "sdr", "", leaves, "", "attune does not pad"},
    {"padding_value", "o", "", leaves, "", "attune does not pad"},
    {"pad_to_multiple_of", "sdkr", "auto", leaves, "", "attune does not pad"},
    {"padding_free", "sd", "false", leaves, "", "attune never pads; sequences do not see each other"},
    {"packing", "s", "false", refuses, "",
     "a packed row of TRL holds several records, and attune's batches count records (it packs by itself): set packing "
     "to false and the batch to as many records"},
    {"packing_strategy", "s", "bfd", leaves, "", "attune packs without letting sequences see each other"},
    {"eval_packing", "s", "", leaves, "", evaluation},
    {"completion_only_loss", "s", "", refuses, "", "attune learns answers, not prompts", "true"},
    {"assistant_only_loss", "s", "false", leaves, "",
     "attune always learns the assistant's answers; without it TRL learns every token of rows that have no prompt "
     "column"},
    {"shuffle_dataset", "s", "false", leaves, "", "data.shuffle gives every epoch a new order"},
    {"train_sampling_strategy", "sdrco", "random", combines, "data.shuffle", "random: true; sequential: false"},
    {"train_sampling_strategy", "k", "sequential", combines, "data.shuffle", "random: true; sequential: false"},
    {"length_column_name", all, "length", leaves, "", "counts only where batches are grouped by length"},
    {"group_by_length", all, "", leaves, "", "attune does not pad, so there is nothing to group for"},
    {"remove_unused_columns", all, "true", leaves, "", "attune keeps unknown columns and passes over them"},
    {"label_names", all, "", leaves, "", "attune recognises columns by content"},
    {"data_seed", all, "", leaves, "", "the order of the data is drawn from seed"},
    // the objective
    {"loss_type", "s", "nll", combines, "objective", "see the table of losses"},
    {"loss_type", "d", "sigmoid", combines, "objective", "see the table of losses; several become a list"},
    {"loss_type", "k", "kto", combines, "objective", "see the table of losses"},
    {"loss_type", "c", "sigmoid", combines, "objective", "see the table of losses"},
    {"loss_weights", "d", "", combines, "objective.NAME.weight", "one a loss"},
    {"beta", "dkco", "0.1", combines, "objective.NAME.beta", "also ipo's tau and orpo's lambda"},
    {"label_smoothing", "dc", "0.0", combines, "objective.NAME.label_smoothing",
     "only where TRL's loss reads it: see the table of losses"},
    {"ld_alpha", "d", "", combines, "objective.NAME.ld_alpha", ""},
    {"f_divergence_type", "d", "reverse_kl", combines, "objective.NAME.divergence", "the same names"},
    {"f_alpha_divergence_coef", "d", "0.5", combines, "objective.NAME.divergence_alpha", "with alpha_divergence"},
    {"use_weighting", "d", "false", combines, "objective.NAME.weighting", "true: wpo"},
    {"discopop_tau", "d", "0.05", combines, "objective.discopop.tau", ""},
    {"rpo_alpha", "d", "", combines, "objective.sft.weight", "of older TRL versions: an sft term beside the loss"},
    {"reference_free", "d", "", refuses, "", "of older TRL versions; train cpo or simpo instead", "false"},
    {"desirable_weight", "k", "1.0", combines, "objective.NAME.desirable_weight", ""},
    {"undesirable_weight", "k", "1.0", combines, "objective.NAME.undesirable_weight", ""},
    {"cpo_alpha", "c", "1.0", combines, "objective.NAME.sft_weight", "0 with alphapo"},
    {"simpo_gamma", "c", "0.5", combines, "objective.NAME.gamma", "of simpo and alphapo"},
    {"alpha", "c", "0.0", combines, "objective.alphapo.alpha", "with simpo; other than 0 makes it alphapo"},
    {"center_rewards_coefficient", "r", "", refuses, "", "attune trains no reward models yet"},
    // the reference
    {"precompute_ref_log_probs", "dk", "false", leaves, "",
     "attune computes a frozen reference's log-probabilities once and keeps them by content"},
    {"precompute_ref_batch_size", "dk", "", leaves, "", "micro-batches are bounded by batch.tokens"},
    {"sync_ref_model", "dk", "false", combines, "reference", "the reference moves towards the policy"},
    {"ref_model_mixup_alpha", "dk", "0.6", combines, "reference.mix", "with sync_ref_model"},
    {"ref_model_sync_steps", "dk", "512", combines, "reference.every", "with sync_ref_model"},
    // the optimiser and its schedule
    {"learning_rate", "s", "2e-05", copies, "optimizer.adamw.lr", ""},
    {"learning_rate", "dkco", "1e-06", copies, "optimizer.adamw.lr", ""},
    {"learning_rate", "r", "0.0001", copies, "optimizer.adamw.lr", ""},
    {"weight_decay", all, "0.0", copies, "optimizer.adamw.weight_decay", "biases and norms excepted, as in TRL"},
    {"adam_beta1", all, "0.9", copies, "optimizer.adamw.beta1", ""},
    {"adam_beta2", all, "0.999", copies, "optimizer.adamw.beta2", ""},
    {"adam_epsilon", all, "1e-08", copies, "optimizer.adamw.epsilon", ""},
    {"max_grad_norm", all, "1.0", copies, "optimizer.max_grad_norm", "0: no clipping"},
    {"optim", all, "adamw_torch_fused", combines, "optimizer.moments",
     "AdamW; its 8-bit kinds: int8. Others are refused"},
    {"optim_args", all, "", refuses, "", "attune has AdamW, whose options have keys of their own"},
    {"optim_target_modules", all, "", refuses, "", "attune has AdamW for all weights"},
    {"lr_scheduler_type", all, "linear", combines, "schedule.decay",
     "linear, cosine, constant, constant_with_warmup, cosine_with_min_lr; others are refused"},
    {"lr_scheduler_kwargs", all, "", combines, "schedule.floor", "min_lr_rate, or min_lr over learning_rate"},
    {"warmup_steps", all, "0", combines, "schedule.warmup", "below 1 a share of all steps; none with constant"},
    {"warmup_ratio", all, "", combines, "schedule.warmup", "the older name of a share"},
    {"num_train_epochs", all, "3.0", combines, "epochs", "without max_steps"},
    {"max_steps", all, "-1", combines, "steps", "above 0: instead of epochs"},
    {"per_device_train_batch_size", all, "8", combines, "batch.records",
     "x gradient_accumulation_steps x devices; batch.tokens bounds micro-batches, which change no result"},
    {"gradient_accumulation_steps", all, "1", combines, "batch.records", "see per_device_train_batch_size"},
    {"label_smoothing_factor", all, "0.0", refuses, "", "attune's sft has no label smoothing", "0"},
    {"neftune_noise_alpha", all, "", refuses, "", "attune adds no noise to embeddings", "0"},
    {"average_tokens_across_devices", all, "true", leaves, "", "losses are divided by the counts of the whole step"},
    {"seed", all, "42", copies, "seed", "draws other numbers than Python's"},
    {"full_determinism", all, "false", leaves, "", "attune is deterministic for a number of threads"},
    // memory and precision
    {"gradient_checkpointing", all, "true", combines, "model.recompute",
     "where it is given; else attune computes blocks again where a step does not fit"},
    {"gradient_checkpointing_kwargs", all, "", leaves, "", speed},
    {"activation_checkpointing", all, "", leaves, "", speed},
    {"activation_checkpointing_kwargs", all, "", leaves, "", speed},
    {"activation_offloading", "sdkr", "false", leaves, "", speed},
    {"bf16", all, "", leaves, "", precision},
    {"fp16", all, "false", leaves, "", precision},
    {"bf16_full_eval", all, "false", leaves, "", precision},
    {"fp16_full_eval", all, "false", leaves, "", precision},
    {"tf32", all, "", leaves, "", precision},
    {"torch_compile", all, "false", leaves, "", speed},
    {"torch_compile_backend", all, "", leaves, "", speed},
    {"torch_compile_mode", all, "", leaves, "", speed},
    {"use_liger_kernel", all, "false", leaves, "", speed},
    {"liger_kernel_config", all, "", leaves, "", speed},
    {"use_cache", all, "false", leaves, "", speed},
    {"use_logits_to_keep", "d", "", leaves, "", speed},
    {"torch_empty_cache_steps", all, "", leaves, "", speed},
    {"auto_find_batch_size", all, "false", leaves, "", "attune packs micro-batches by batch.tokens"},
    {"skip_memory_metrics", all, "true", leaves, "", logging},
    // evaluation, checkpoints, output
    {"output_dir", all, "", combines, "out", "unset: trainer_output, as in TRL"},
    {"overwrite_output_dir", all, "", leaves, "", "attune never writes over a run"},
    {"eval_strategy", all, "no", combines, "eval_every", "steps: eval_steps; no and epoch: at the end"},
    {"evaluation_strategy", all, "", combines, "eval_every", "the older name of eval_strategy"},
    {"eval_steps", all, "", combines, "eval_every", "with eval_strategy steps; unset: logging_steps"},
    {"save_strategy", all, "steps", combines, "save_every", "steps: save_steps; no, epoch and best: at the end"},
    {"save_steps", all, "500", combines, "save_every", "with save_strategy steps"},
    {"save_total_limit", all, "", combines, "keep_checkpoints", "unset: attune keeps two, TRL all"},
    {"logging_steps", all, "10", leaves, "", logging},
    {"logging_strategy", all, "steps", leaves, "", logging},
    {"logging_first_step", all, "false", leaves, "", logging},
    {"logging_dir", all, "", leaves, "", logging},
    {"log_on_each_node", all, "true", leaves, "", logging},
    {"logging_nan_inf_filter", all, "true", leaves, "", "attune stops at the first loss that is not finite"},
    {"include_num_input_tokens_seen", all, "no", leaves, "", logging},
    {"log_level", all, "passive", leaves, "", "see --quiet and --verbose"},
    {"log_level_replica", all, "warning", leaves, "", devices},
    {"disable_tqdm", all, "", leaves, "", logging},
    {"report_to", all, "none", leaves, "", "attune writes report.html"},
    {"run_name", all, "", leaves, "", "a run is named by its folder"},
    {"project", all, "huggingface", leaves, "", hub},
    {"trackio_space_id", all, "", leaves, "", hub},
    {"trackio_bucket_id", all, "", leaves, "", hub},
    {"trackio_static_space_id", all, "", leaves, "", hub},
    {"eval_delay", all, "0", leaves, "", evaluation},
    {"per_device_eval_batch_size", all, "8", leaves, "", evaluation},
    {"prediction_loss_only", all, "false", leaves, "", evaluation},
    {"eval_on_start", all, "false", leaves, "", evaluation},
    {"eval_do_concat_batches", all, "true", leaves, "", evaluation},
    {"eval_use_gather_object", all, "false", leaves, "", evaluation},
    {"eval_accumulation_steps", all, "", leaves, "", evaluation},
    {"include_for_metrics", all, "", leaves, "", evaluation},
    {"batch_eval_metrics", all, "false", leaves, "", evaluation},
    {"generate_during_eval", "dkco", "false", leaves, "", "attune writes samples at each evaluation (samples:)"},
    {"save_only_model", all, "false", leaves, "", "every checkpoint can be resumed"},
    {"save_on_each_node", all, "false", leaves, "", devices},
    {"save_safetensors", all, "", leaves, "", "attune writes nothing else"},
    {"enable_jit_checkpoint", all, "false", leaves, "", "attune writes a checkpoint when it is stopped"},
    {"load_best_model_at_end", all, "false", leaves, "", "the best checkpoint stays under the name 'best'"},
    {"metric_for_best_model", all, "", leaves, "", "the evaluation loss decides"},
    {"greater_is_better", all, "", leaves, "", "the evaluation loss decides"},
    {"resume_from_checkpoint", all, "", leaves, "", "attune resume DIR"},
    {"ignore_data_skip", all, "false", leaves, "", "a resumed run reads no batch twice"},
    {"restore_callback_states_from_checkpoint", all, "false", leaves, "", "attune resume restores everything"},
    {"push_to_hub", all, "false", leaves, "", hub},
    {"hub_token", all, "", leaves, "", hub},
    {"hub_private_repo", all, "", leaves, "", hub},
    {"hub_model_id", all, "", leaves, "", hub},
    {"hub_strategy", all, "every_save", leaves, "", hub},
    {"hub_always_push", all, "false", leaves, "", hub},
    {"hub_revision", all, "", leaves, "", hub},
    // the machine
    {"use_cpu", all, "false", combines, "model.device", "true: cpu; else the first GPU, where there is one"},
    {"accelerator_config", all, "", leaves, "", devices},
    {"accelerate_config", all, "", combines, "batch.records", "its num_processes is the number of devices"},
    {"num_processes", all, "", combines, "batch.records", "the number of devices"},
    {"parallelism_config", all, "", leaves, "", devices},
    {"ddp_find_unused_parameters", all, "", leaves, "", devices},
    {"ddp_bucket_cap_mb", all, "", leaves, "", devices},
    {"ddp_broadcast_buffers", all, "", leaves, "", devices},
    {"ddp_static_graph", all, "", leaves, "", devices},
    {"ddp_backend", all, "", leaves, "", devices},
    {"ddp_timeout", all, "1800", leaves, "", devices},
    {"fsdp", all, "", leaves, "", devices},
    {"fsdp_config", all, "", leaves, "", devices},
    {"deepspeed", all, "", leaves, "", devices},
    {"local_rank", all, "-1", leaves, "", devices},
    {"dataloader_drop_last", all, "false", leaves, "",
     "the last step of an epoch may be smaller, as TRL's is by default"},
    {"dataloader_num_workers", all, "0", leaves, "", loader},
    {"dataloader_pin_memory", all, "true", leaves, "", loader},
    {"dataloader_persistent_workers", all, "false", leaves, "", loader},
    {"dataloader_prefetch_factor", all, "", leaves, "", loader},
    {"dataloader_multiprocessing_context", all, "", leaves, "", loader},
    {"dataloader_in_order", all, "true", leaves, "", loader},
    {"debug", all, "", leaves, "", "for debugging Python"},
    {"do_train", all, "false", leaves, "", "attune train trains"},
    {"do_eval", all, "false", leaves, "", "what is evaluated follows from the data"},
    {"do_predict", all, "false", leaves, "", "attune generate"},
    {"env", all, "", leaves, "", "YAML only: variables of Python's process"},
};

constexpr TrlLoss losses[] = {
    {'s', "nll", "sft", ""},
    {'s', "chunked_nll", "sft", "", "the same numbers"},
    {'s', "dft", "dft", ""},
    {'d', "sigmoid", "dpo", "beta ld_alpha use_weighting f_divergence_type",
     "TRL's label_smoothing has no effect here"},
    {'d', "hinge", "hinge", "beta ld_alpha use_weighting f_divergence_type"},
    {'d', "ipo", "ipo", "beta ld_alpha use_weighting f_divergence_type", "averaged over tokens, as in TRL"},
    {'d', "exo_pair", "exo", "beta label_smoothing ld_alpha use_weighting f_divergence_type"},
    {'d', "nca_pair", "nca", "beta ld_alpha use_weighting"},
    {'d', "robust", "robust", "beta label_smoothing ld_alpha use_weighting f_divergence_type"},
    {'d', "bco_pair", "bco-pair", "beta ld_alpha use_weighting"},
    {'d', "sppo_hard", "sppo-hard", "beta ld_alpha use_weighting"},
    {'d', "aot", "aot", "beta label_smoothing", "sorted over the whole step; TRL sorts a device's micro-batch"},
    {'d', "aot_unpaired", "aot-unpaired", "beta label_smoothing", "sorted over the whole step, as aot"},
    {'d', "apo_zero", "apo-zero", "beta ld_alpha use_weighting"},
    {'d', "apo_down", "apo-down", "beta ld_alpha use_weighting"},
    {'d', "discopop", "discopop", "beta discopop_tau ld_alpha use_weighting f_divergence_type"},
    {'d', "sigmoid_norm", "sigmoid-norm", "beta ld_alpha use_weighting f_divergence_type"},
    {'d', "sft", "sft", "", "of the chosen answers"},
    {'k', "kto", "kto", "beta desirable_weight undesirable_weight",
     "the KL estimate is over the whole step; TRL's over a device's micro-batch"},
    {'k', "apo_zero_unpaired", "apo-zero-unpaired", "beta desirable_weight undesirable_weight"},
    {'c', "sigmoid", "cpo", "beta cpo_alpha label_smoothing"},
    {'c', "hinge", "cpo", "beta cpo_alpha", "with link: hinge"},
    {'c', "ipo", "cpo", "beta cpo_alpha", "with link: ipo"},
    {'c', "simpo", "simpo", "beta simpo_gamma cpo_alpha label_smoothing", "with alpha other than 0: alphapo"},
    {'c', "alphapo", "alphapo", "alpha beta simpo_gamma label_smoothing", "with alpha 0: simpo"},
    {'o', "", "orpo", "beta", "with nll_scope: full, since TRL learns the prompt too"},
};

}  // namespace

std::span<const TrlTrainer> trl_trainers() { return trainers; }

std::string_view name(TrlFate fate) {
  switch (fate) {
    case TrlFate::copies:
      return "copied";
    case TrlFate::combines:
      return "translated";
    case TrlFate::leaves:
      return "not needed";
    case TrlFate::refuses:
      return "refused";
  }
  return "";
}

std::span<const TrlKey> trl_keys() { return keys; }
std::span<const TrlLoss> trl_losses() { return losses; }

const TrlKey* find_trl_key(std::string_view name, char trainer) {
  for (const TrlKey& key : keys) {
    if (key.name == name && key.trainers.find(trainer) != std::string_view::npos) return &key;
  }
  return nullptr;
}

std::vector<std::string_view> trl_key_names(char trainer) {
  std::vector<std::string_view> names;
  for (const TrlKey& key : keys) {
    if (key.trainers.find(trainer) != std::string_view::npos) names.push_back(key.name);
  }
  return names;
}

}  // namespace attune
