#include "attune/cli/verbs.h"

#include <array>

#include "attune/base/files.h"

namespace attune {
namespace {

constexpr std::array table{
    Verb{"demo", "shows all of it on a small world of its own (two cores: about two minutes)",
         "usage: attune demo [--out FOLDER] [--seed S] [--json] [key=value ...]\n\n"
         "Writes preference data of people with known tastes, trains a tiny model on it (SFT, then DPO) and says how "
         "much\n"
         "better those tastes like its answers afterwards.\n",
         nullptr},
    Verb{"init", "writes a commented run file to start from, or translates one of TRL",
         "usage: attune init [NAME] [--out FILE]\n"
         "       attune init --from-trl FILE|'COMMAND' [--trainer T] [--devices N] [--lossy] [--out FILE]\n"
         "       attune init --trl-table\n\n"
         "Prints a commented run file (or writes it to FILE). NAME is one of the shipped recipes: without a name they\n"
         "are listed.\n"
         "--from-trl reads a shell script, a command line or YAML of TRL's sft, dpo, kto, cpo and orpo (YAML needs\n"
         "--trainer) and lists what is not carried over. What would train another model is refused; --lossy drops it.\n"
         "--devices says how many processes train side by side where the command does not.\n"
         "--trl-table answers what becomes of each of TRL's arguments, a row each.\n",
         run_init},
    Verb{
        "data", "looks at, checks, converts and curates preference data",
        "usage: attune data inspect PATH [--json]\n"
        "       attune data columns PATH [--json]\n"
        "       attune data validate PATH [--json]\n"
        "       attune data convert PATH --to FORMAT --out FILE [--lossy]\n"
        "       attune data apply RUN.yaml [key=value ...] [--json]\n"
        "       attune data report NAME PATH [--json] [--html FILE]\n\n"
        "apply runs a list of operators ('attune parts operator' lists them) and writes a manifest beside the output;\n"
        "RUN.yaml has data:, curate: [{NAME: {options}}, ...] and out:.\n"
        "PATH is a file (.jsonl, .json, .csv, .tsv, each also .gz or .zst), a folder of such, a pattern, or '-'.\n",
        run_data},
    Verb{"tokenize", "text or conversations to ids, and back",
         "usage: attune tokenize --tokenizer T [PATH] [--field F] [--special none|auto] [--decode] [--out FILE]\n"
         "       attune tokenize --tokenizer T --messages PATH [--template FILE] [--generation-prompt] [--out FILE]\n\n"
         "T is a model folder or a tokenizer file. Rows of PATH (JSON Lines or plain lines) are answered one by one:\n"
         "{\"ids\": [...]}, {\"text\": \"...\"} with --decode, {\"text\", \"ids\", \"mask\"} with --messages.\n"
         "--special none (the default): what users write is plain text, also where it spells a control token, and "
         "nothing\n"
         "is put around a text. --special auto: as Hugging Face does; with --decode it leaves special tokens out.\n",
         run_tokenize},
    Verb{"train", "trains: sft, or a preference objective such as dpo",
         "usage: attune train sft|OBJECTIVE RUN.yaml [key=value ...] [--json] [--trace] [--profile]\n\n"
         "Runs the recipe of that objective. Any key of the run file can be overridden: optimizer.adamw.lr=1e-5.\n"
         "With --json the last line on stdout is {\"run\",\"steps\",\"loss\",\"metrics\"}.\n"
         "--profile writes profile.json: where the time of a step goes. --trace names what is done before the first "
         "one.\n",
         nullptr},
    Verb{"plan", "memory and time that a run will need; trains nothing",
         "usage: attune plan RUN.yaml [key=value ...] [--json]\n\n"
         "Makes a few steps of the run on its own data with a few blocks of its model and random weights, and reckons "
         "up\n"
         "the rest: {\"parameters\",\"trainable\",\"steps\",\"peak_bytes\",\"step_seconds\",\"tokens_per_second\",\n"
         "\"fraction_of_limit\",\"fits\",\"stages\"}; of several stages the one that needs most memory.\n",
         nullptr},
    Verb{"doctor", "what this machine can do", "usage: attune doctor [--json]\n\nTakes about two seconds.\n", nullptr},
    Verb{"resume", "goes on with a stopped run, bit for bit",
         "usage: attune resume DIR [--from STEP] [--json]\n\n"
         "Goes on from the newest whole checkpoint of the run directory; a damaged one is passed over and named.\n",
         nullptr},
    Verb{"logps", "log-probabilities of each completion given its prompt",
         "usage: attune logps --model M --data PATH [--adapter A] [--device D] [--per-token] [--out FILE]\n\n"
         "Answers {\"record\",\"completion\",\"logp\",\"tokens\"} a completion; --per-token adds \"logps\".\n"
         "--device, here and elsewhere: cpu, cuda, cuda:N; auto, the default, is the first GPU, else the CPU.\n",
         nullptr},
    Verb{"score", "a reward model's or a verifier's score of each completion",
         "usage: attune score --model RM --data PATH [--tokenizer T] [--template FILE] [--max-tokens N]\n"
         "                    [--context ignore|before|after] [--batch-tokens N] [--device D] [--out FILE]\n"
         "       attune score --models RM1 RM2 ... [--combine mean|median|min|mean-std] [--factor F] --data PATH ...\n"
         "       attune score --method yes-no --questions TEXT ... [--unwanted] --model LM --data PATH ...\n"
         "       attune score --method follow-up --model LM --data PATH ...\n"
         "       attune score --verifier NAME --data PATH [key=value ...] [--standardise record|data] [--out FILE]\n\n"
         "Answers {\"record\",\"completion\",\"score\"} a completion; with \"scores\" by attribute where the model "
         "rates\n"
         "several, and \"spread\", one standard deviation of what people would say, where it knows. Of several models "
         "the\n"
         "score is combined (mean-std: F standard deviations below the mean) and the spread is that of the models.\n"
         "With --context a record's context stands before the first or after the last message of the prompt.\n"
         "RM is a folder of a sequence classifier: one that `attune train reward` made, or another program.\n"
         "LM is a language model that was trained for nothing of the kind: yes-no asks it each question about the "
         "answer\n"
         "and compares its probabilities of Yes and No (ZYN; --unwanted: of No), several combined by --combine; "
         "follow-up\n"
         "compares how likely a content user's next words are with a discontented one's (FLR).\n"
         "NAME is a program instead of a model: 'attune parts verifier' lists them. Its rows also have a \"reason\";\n"
         "--standardise makes their scores z-scores over a record's completions or all of the data.\n",
         run_score_here},
    Verb{
        "generate", "samples answers to prompts, batched",
        "usage: attune generate --model M --prompts PATH [--adapter A] [--tokenizer T] [--template FILE] [--n N]\n"
        "                       [--max-tokens N] [--temperature T] [--top-k K] [--top-p P] [--min-p P] [--seed S]\n"
        "                       [--stop TEXT ...] [--batch B] [--attributes TEXT] [--device D] [--out FILE]\n"
        "       attune generate --model M --before M0 [--momentum A] --prompts PATH ...\n"
        "       attune generate --models M1 M2 ... --weights W1 W2 ... --prompts PATH ...\n\n"
        "Answers {\"record\",\"completion\",\"text\",\"ids\",\"logps\",\"stop\"} a sample, in the order of the "
        "prompts, each\n"
        "as soon as it is its turn; stop is eos, length or stop-string. PATH is data of any known format, of which "
        "the\n"
        "prompts are taken. Temperature 0 is greedy. B answers are written at once; which ones does not change them.\n"
        "--attributes \"helpfulness:4,verbosity:1\" steers a model trained with `steerlm` and its template.\n"
        "Several models of one tokenizer write one text: the next token follows softmax(sum W log p), the first model\n"
        "gives tokenizer and template, logps are the combination's. --before M0, the model of the round before, "
        "stands\n"
        "for weights 1+A and -A: the momentum of `accelerated-po` in the space of logits; A is 0.3 unless given.\n",
        nullptr},
    Verb{"chat", "a conversation in the terminal",
         "usage: attune chat --model M [--adapter A] [--tokenizer T] [--template FILE] [--system TEXT] [--max-tokens "
         "N]\n"
         "                   [--temperature T] [--top-k K] [--top-p P] [--min-p P] [--seed S] [--device D]\n\n"
         "A line is a message; /reset forgets the conversation, /exit ends it. On a pipe: a line in, an answer out.\n",
         nullptr},
    Verb{"diagnose", "what a preference loss did, or would do, to a model",
         "usage: attune diagnose NAME --model M --data PATH [--reference R] [--adapter A] [--tokenizer T] [--template "
         "FILE]\n"
         "                       [--max-tokens N] [--batch-tokens N] [--device D] [--json] [--html FILE] "
         "[key=value ...]\n"
         "       attune diagnose NAME --models M1 M2 ... --data PATH ...\n\n"
         "NAME is a diagnostic: 'attune parts diagnostic' lists them, 'attune explain diagnostic NAME' shows formula,\n"
         "paper and the options that key=value sets. --reference is the model that training started from; with an "
         "adapter\n"
         "it is its base model unless named. --models takes several in the order of training, --data may be given "
         "several\n"
         "times, for the diagnostics that compare. --html writes one page with plots, without network.\n",
         nullptr},
    Verb{"stats", "agreement, ranking, calibration, comparison of systems: no model",
         "usage: attune stats NAME PATH [key=value ...] [--json] [--html FILE] [--drop-bad-rows]\n\n"
         "NAME is a statistic: 'attune parts statistic' lists them, 'attune explain statistic NAME' shows formula, "
         "paper "
         "and\n"
         "the options that key=value sets. PATH is a table (CSV, JSON Lines) with the columns that its options name, "
         "or\n"
         "preference data of any known format: then comparisons and ratings by annotators are read from that.\n",
         run_stats},
    Verb{"eval", "a benchmark by its published formula: from scores, a judge's verdicts or outputs",
         "usage: attune eval NAME --data PATH (--scores FILE | --verdicts FILE | --outputs FILE) [--baseline PATH]\n"
         "                   [key=value ...] [--row-join] [--json] [--html FILE] [--drop-bad-rows]\n\n"
         "NAME is a benchmark: 'attune parts eval' lists them, 'attune explain eval NAME' shows formula, paper and "
         "options.\n"
         "FILE of --scores has {\"record\",\"completion\",\"score\"} a row, as 'attune score' writes it or another "
         "program;\n"
         "of --verdicts {\"record\",\"a\",\"b\",\"p_a\",\"order\"}. Rows are joined by record, never by position; what "
         "is left\n"
         "out is named and counted. Answers {\"name\",\"score\",\"parts\",\"n\",\"interval\",\"left_out\"}.\n"
         "--row-join, of alpaca-eval: join difficulties by row number, as its published rates do.\n",
         run_eval},
    Verb{"merge", "several models' weights, or a model's and its adapter's, into one model",
         "usage: attune merge --model M --adapter A --out FOLDER\n"
         "       attune merge --model M --adapters A B ... [--weights W ...] --out FOLDER\n"
         "       attune merge soup --models A B ... [--weights W ...] --out FOLDER\n"
         "       attune merge expo --model ALIGNED --start SFT --alpha A --out FOLDER\n"
         "       attune merge slerp --models A B [--t T] --out FOLDER\n"
         "       attune merge warp --base START --models A B ... [--eta E] --out FOLDER\n\n"
         "Without a word: the adapter, or the weighted sum of what several change, into their base model's weights.\n"
         "soup   the weighted mean of the models; equal weights unless given (Wortsman et al. 2022)\n"
         "expo   ALIGNED + A (ALIGNED - SFT), A usually 0.1 to 0.5 (Zheng et al. 2024)\n"
         "slerp  on the arc from A (T = 0) to B (T = 1), tensor by tensor; T is 0.5 unless given (Shoemake 1985)\n"
         "warp   START + E times the spherical mean of what was learned since START; E is 0.5 unless given, 1 keeps "
         "all\n"
         "       of it (Rame et al. 2024)\n"
         "Config, tokenizer, element types and files are those of the first model (expo: ALIGNED). The models must "
         "have\n"
         "the same tensors; adapters are merged into their models first.\n",
         nullptr},
    Verb{"parts", "lists what exists: objectives, formats, reports, ...", "usage: attune parts [KIND] [--json]\n",
         run_parts},
    Verb{"compare", "settings and curves of runs side by side",
         "usage: attune compare RUN RUN ... [--html FILE] [--json]\n\n"
         "Says in which settings the run directories differ and the last value of every metric they share; --html "
         "draws\n"
         "their curves.\n",
         run_compare},
    Verb{"explain", "formula, options with defaults and paper of one part",
         "usage: attune explain KIND NAME [--json]\n", run_explain},
};

}  // namespace

std::span<const Verb> verbs() { return table; }

std::string program_folder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

}  // namespace attune
