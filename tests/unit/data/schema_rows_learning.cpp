#include "unit/data/schema_rows.h"

namespace attune::testing {

std::vector<SchemaRow> learning_rows() {
  return {
      {"alpaca", R"row({"instruction":"Translate.","input":"Hund","output":"dog"})row", 1, 0, 0, 0},
      {"alpaca", R"row({"instruction":"Count to two.","input":"","output":"1 2","history":[]})row", 1, 0, 0, 0},
      {"kto-messages",
       R"row({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"A"}],"label":false})row", 1, 0,
       1, 0},
      {"kto-tag",
       R"row({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"A"}],"kto_tag":true})row", 1, 0,
       1, 0},
      {"trl-stepwise", R"row({"prompt":"9.11 or 9.8?","completions":["One.","Two."],"labels":[true,false]})row", 1, 0,
       2, 0},
      {"oasst-flat",
       R"row({"message_id":"m2","parent_id":"m1","user_id":"u","created_date":"2023","text":"A","role":"assistant","lang":"en","review_count":3,"review_result":true,"deleted":false,"rank":0,"synthetic":false,"model_name":null,"detoxify":{"toxicity":0.1},"message_tree_id":"m1","tree_state":"ready_for_export","emojis":{"name":["+1"],"count":[2]},"labels":{"name":["spam"],"value":[0.0],"count":[3]}})row",
       1, 0, 0, 0},
      {"oasst-tree",
       R"row({"message_tree_id":"m1","tree_state":"ready_for_export","prompt":{"message_id":"m1","text":"Hi","role":"prompter","lang":"en","replies":[{"message_id":"m2","parent_id":"m1","text":"B","role":"assistant","rank":1,"replies":[{"message_id":"m4","text":"And?","role":"prompter","replies":[]}]},{"message_id":"m3","parent_id":"m1","text":"A","role":"assistant","rank":0,"replies":[]}]}})row",
       2, 0, 0, 0},
      {"prism-utterances",
       R"row({"utterance_id":"ut1","interaction_id":"i1","conversation_id":"c1","user_id":"user0","turn":0,"within_turn_id":1,"user_prompt":"Hi","model_response":"A","model_name":"m","model_provider":"p","score":82,"if_chosen":true})row",
       1, 0, 1, 1},
      {"prism-conversations",
       R"row({"conversation_id":"c1","user_id":"user0","conversation_type":"unguided","opening_prompt":"Hi","conversation_turns":2,"conversation_history":[{"turn":0,"role":"user","content":"Hi","model_name":null,"score":null,"if_chosen":null,"within_turn_id":null},{"turn":0,"role":"model","content":"A","model_name":"m1","model_provider":"p","score":80,"if_chosen":true,"within_turn_id":0},{"turn":0,"role":"model","content":"B","model_name":"m2","model_provider":"p","score":20,"if_chosen":false,"within_turn_id":1},{"turn":0,"role":"model","content":"C","model_name":"m3","model_provider":"p","score":5,"if_chosen":false,"within_turn_id":2},{"turn":1,"role":"user","content":"And?"},{"turn":1,"role":"model","content":"D","model_name":"m1","score":50,"if_chosen":false,"within_turn_id":0},{"turn":1,"role":"model","content":"E","model_name":"m1","score":60,"if_chosen":true,"within_turn_id":1}],"performance_attributes":{"fluency":70},"open_feedback":"Good."})row",
       5, 3, 5, 1, "A"},
  };
}

}  // namespace attune::testing
