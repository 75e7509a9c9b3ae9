#include "attune/cli/answer.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "attune/base/errors.h"
#include "attune/base/files.h"

namespace attune {

struct Answer::Target {
  std::optional<Path> path;
  std::unique_ptr<WritableFile> file;
  std::string buffer;

  Path fresh() const {
    Path name = *path;
    name += ".tmp";
    return name;
  }

  void flush() {
    if (file) {
      file->write(buffer);
    } else {
      std::string_view bytes = buffer;
      while (!bytes.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
          throw IoError({.file = "standard output"}, std::string("writing failed: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(count));
      }
    }
    buffer.clear();
  }
};

Answer::Answer(std::optional<std::string> path) : target_(std::make_unique<Target>()) {
  if (!path || *path == "-") return;
  target_->path = *path;
  target_->file = disk().create(target_->fresh());
}

Answer::~Answer() {
  if (target_->file) ::unlink(target_->fresh().c_str());  // never finished: no half answer under any name
}

void Answer::text(std::string_view text) {
  target_->buffer += text;
  if (target_->buffer.size() > 1 << 16) target_->flush();
}

void Answer::row(const Json& row) { text(row.str() + "\n"); }
void Answer::document(const Json& json) { text(json.str(2) + "\n"); }

void Answer::flush() { target_->flush(); }

void Answer::finish() {
  target_->flush();
  if (!target_->file) return;
  target_->file->sync();
  target_->file->close();
  target_->file.reset();
  disk().rename(target_->fresh(), *target_->path);
}

void answer_page(const ReportPage& page, bool json) {
  Answer answer;
  if (json) {
    answer.document(page.json);
  } else {
    for (const std::string& line : page.lines) answer.text(line + '\n');
  }
  answer.finish();
}

}  // namespace attune
