#include "attune/text/tokenizer_folder.h"

namespace attune {

void copy_tokenizer_files(Fs& fs, const Path& from, const Path& to) {
  if (std::filesystem::exists(to) && std::filesystem::equivalent(from, to)) return;
  for (const char* name :
       {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}) {
    if (std::filesystem::exists(from / name)) write_durably(fs, to / name, read_file(from / name));
  }
}

}  // namespace attune
