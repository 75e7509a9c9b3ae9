#include "attune/curate/writer.h"

namespace attune {

void WriterSettings::describe(Fields& fields) {
  fields("model", model, "the folder of the model that writes, or of an adapter that names its base model").required();
  fields("tokenizer", tokenizer, "a folder or tokenizer.json; the model's own unless given");
  fields("chat_template", chat_template, "a file; the tokenizer's own unless given");
  fields("max_tokens", max_tokens, "of an answer").at_least(1);
  fields("temperature", temperature, "0: always the most likely token").within(0, 1'000);
  fields("top_k", top_k, "draw among the k most likely tokens; 0: all").at_least(0);
  fields("top_p", top_p, "draw among the most likely tokens that reach this probability").above(0).within(0, 1);
  fields("min_p", min_p, "draw among tokens with this share of the most likely one's probability").within(0, 1);
  fields("batch", batch, "answers that are written at once; changes none of them").at_least(1);
}

}  // namespace attune
