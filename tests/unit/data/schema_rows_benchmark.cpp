#include "unit/data/schema_rows.h"

namespace attune::testing {

std::vector<SchemaRow> benchmark_rows() {
  return {
      {"gsm8k", R"row({"question":"1+1?","answer":"It is <<1+1=2>>2\n#### 2"})row", 1, 0, 0, 0},
      {"gsm8k-solutions",
       R"row({"question":"1+1?","ground_truth":"2","6b_finetuning":{"is_correct":false,"solution":"3"},"6b_verification":{"is_correct":true,"solution":"2"},"175b_finetuning":{"is_correct":true,"solution":"2"},"175b_verification":{"is_correct":true,"solution":"two"}})row",
       4, 0, 0, 0},
      {"ifeval",
       R"row({"key":1000,"prompt":"No commas.","instruction_id_list":["punctuation:no_comma"],"kwargs":[{}]})row", 0, 0,
       0, 0},
      {"humaneval",
       R"row({"task_id":"HumanEval/0","prompt":"def f():\n","entry_point":"f","canonical_solution":" return 1\n","test":"assert f()"})row",
       0, 0, 0, 0},
      {"rewardbench",
       R"row({"prompt":"Hi","chosen":"A","chosen_model":"m1","rejected":"B","rejected_model":"m2","subset":"alpacaeval-easy","id":3})row",
       2, 1, 0, 0},
      {"rewardbench2",
       R"row({"id":"ref:1","prompt":"Hi","chosen":["A","C"],"rejected":["B","D","E"],"num_correct":2,"num_incorrect":3,"total_completions":5,"models":["m"],"subset":"Ties","additional_metadata":{}})row",
       5, 0, 0, 0},
      {"rm-bench",
       R"row({"id":8,"subset":"alpacaeval","prompt":"Hi","chosen":["A","B","C"],"rejected":["D","E","F"],"error_key":"k","error":"e"})row",
       6, 0, 0, 0},
      {"rmb-pairwise",
       R"row({"pair_uid":"p1","conversation_input":[{"content":"Hi","language":"en","role":"user"}],"chosen":{"llm_name":"m1","answer":"A"},"reject":{"llm_name":"m2","answer":"B"},"category_path":"x/y"})row",
       2, 1, 0, 0},
      {"rmb-best-of-n",
       R"row({"bon_uid":"b1","conversation_input":[{"content":"Hi","role":"user"}],"bon_best":{"llm_name":"m1","answer":"A"},"loser_list":[{"llm_name":"m2","answer":"B"},{"llm_name":"m3","answer":"C"}],"category_path":"x"})row",
       3, 2, 0, 0},
      {"judgebench",
       R"row({"pair_id":"p","original_id":1420,"source":"mmlu-pro-law","question":"Hi","response_model":"m","response_A":"A","response_B":"B","label":"B>A"})row",
       2, 1, 0, 0},
      {"alpacaeval-outputs", R"row({"dataset":"helpful_base","instruction":"Hi","output":"A","generator":"m"})row", 1,
       0, 0, 0},
      {"alpacaeval-annotations",
       R"row({"instruction":"Hi","output_1":"A","generator_1":"m1","dataset":"d","output_2":"B","generator_2":"m2","annotator":"judge","preference":1.0001195986,"price_per_example":null,"time_per_example":1.5,"raw_completion":{"logprobs":null}})row",
       2, 1, 1, 1},
      {"mt-bench-questions", R"row({"question_id":81,"category":"writing","turns":["Hi","And?"],"reference":["x"]})row",
       0, 0, 0, 0},
      {"arena-hard-questions", R"row({"uid":"u","category":"arena-hard-v0.1","cluster":"c","prompt":"Hi"})row", 0, 0, 0,
       0},
      {"arena-hard-answers",
       R"row({"uid":"u","ans_id":"a","model":"m","messages":[{"content":"Hi","role":"user"},{"content":"A","role":"assistant"}],"tstamp":1711076966.37})row",
       1, 0, 0, 0},
      {"llmbar", R"row({"input":"Hi","output_1":"A","output_2":"B","label":2})row", 2, 1, 0, 0},
      {"pandalm",
       R"row({"idx":0,"motivation_app":"x","cmp_key":"a_b","instruction":"Fix.","input":"teh","response1":"A","response2":"B","annotator1":2,"annotator2":0,"annotator3":1})row",
       2, 3, 0, 3},
  };
}

}  // namespace attune::testing
