// A disk that fails, stops dead or forgets at a chosen operation, so that crash tests are ordinary unit tests. The plan
// follows SQLite's and LevelDB's fault injection: the n-th operation for n = 1, 2, 3, ... until the work succeeds.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/errors.h"
#include "attune/base/files.h"
#include "attune/base/random.h"

namespace attune::testing {

// The program stops here. Not derived from std::exception: nothing in src catches it.
struct Crash {};

struct Fault {
  std::int64_t at = 0;   // the operation that goes wrong, from 1; 0: none
  int error = 0;         // an errno: that operation fails with an IoError (74); 0: the program stops there
  bool lasting = false;  // the error stays, as on a full disk
  std::optional<std::uint64_t> power_loss = {};  // a stop also loses what was not synced; the seed says how much of it
};

// Works on the real disk, without its slow fsync. What is lost in a power loss: a random tail of every file since its
// last sync() (cut off, or there as zeros), and of the entries of every directory (new files, folders, links, renames)
// a random number of the last ones since its last sync_directory(). Removals are never undone: that is the harder case.
class FaultyFs final : public Fs {
 public:
  explicit FaultyFs(const Fault& fault = {}) : fault_(fault), random_(fault.power_loss.value_or(0), "faults") {}

  std::int64_t operations() const { return operations_; }
  bool stopped() const { return stopped_; }

  std::unique_ptr<WritableFile> create(const Path& path, bool append) override {
    begin(path);
    const bool fresh = !std::filesystem::exists(std::filesystem::symlink_status(path));
    auto file = disk().create(path, append);
    if (fresh) entered(path);
    if (!append) synced_[path] = 0;
    if (!synced_.contains(path)) synced_[path] = std::filesystem::file_size(path);
    return std::make_unique<File>(*this, path, std::move(file));
  }

  void rename(const Path& from, const Path& to) override {
    begin(to);
    Entry entry{.path = to, .from = from, .before = content_of(to)};
    disk().rename(from, to);
    moved(from, to);
    pending_[to.parent_path()].push_back(std::move(entry));
  }

  // A stop leaves it half done: some of the entries below are gone, others still there.
  void remove(const Path& path) override {
    const auto half_done = [&] {
      if (!std::filesystem::is_directory(std::filesystem::symlink_status(path))) return;
      const auto names = list_directory(path);
      for (std::size_t i = 0; i < (names.size() + 1) / 2; ++i) forget(path / names[i]);
    };
    begin(path, half_done);
    forget(path);
  }

  void make_directories(const Path& path) override {
    begin(path);
    std::filesystem::create_directories(path);  // durable
  }

  void sync_directory(const Path& path) override {
    begin(path);
    pending_.erase(path);
  }

  void link(const Path& target, const Path& path) override {
    begin(path);
    Entry entry{.path = path, .before = content_of(path)};
    disk().link(target, path);
    pending_[path.parent_path()].push_back(std::move(entry));
  }

 private:
  struct Content {
    bool link = false;
    std::string bytes = {};  // of the file, or the link's target
  };
  // A change of a directory that a power loss may undo.
  struct Entry {
    Path path = {};
    Path from = {};  // of a rename; empty: made new
    std::optional<Content> before = {};
  };

  class File final : public WritableFile {
   public:
    File(FaultyFs& fs, Path path, std::unique_ptr<WritableFile> file)
        : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}
    void write(std::string_view bytes) override {
      fs_.begin(path_, [&] { file_->write(bytes.substr(0, bytes.size() / 2)); });
      file_->write(bytes);
    }
    void sync() override {
      fs_.begin(path_);
      fs_.synced_[path_] = std::filesystem::file_size(path_);
    }
    void close() override {
      fs_.begin(path_);
      file_->close();
    }

   private:
    FaultyFs& fs_;
    Path path_;
    std::unique_ptr<WritableFile> file_;
  };

  // Counts the operation and lets it fail when its turn has come, after `half_done`.
  template <class HalfDone>
  void begin(const Path& path, const HalfDone& half_done) {
    if (stopped_) throw Crash{};
    ++operations_;
    const bool now = operations_ == fault_.at || (fault_.lasting && fault_.at > 0 && operations_ > fault_.at);
    if (!now) return;
    half_done();
    if (fault_.error != 0)
      throw IoError({.file = path.string()}, std::string("a fault: ") + std::strerror(fault_.error));
    stopped_ = true;
    if (fault_.power_loss) lose_power();
    throw Crash{};
  }
  void begin(const Path& path) {
    begin(path, [] {});
  }

  void entered(const Path& path) { pending_[path.parent_path()].push_back({.path = path}); }

  static std::optional<Content> content_of(const Path& path) {
    const auto status = std::filesystem::symlink_status(path);
    if (std::filesystem::is_symlink(status)) return Content{true, std::filesystem::read_symlink(path).string()};
    if (std::filesystem::is_regular_file(status)) return Content{false, read_file(path)};
    return std::nullopt;
  }

  static bool below(const Path& path, const Path& folder) {
    const std::string text = path.string(), head = folder.string();
    return text == head || text.starts_with(head + "/");
  }

  void forget(const Path& path) {
    disk().remove(path);
    std::erase_if(synced_, [&](const auto& file) { return below(file.first, path); });
    std::erase_if(pending_, [&](const auto& folder) { return below(folder.first, path); });
    for (auto& [folder, entries] : pending_)
      std::erase_if(entries, [&](const Entry& entry) { return entry.path == path; });
  }

  // Keys of everything at or below `from`, renamed.
  template <class Value>
  static void rekey(std::map<Path, Value>& map, const Path& from, const Path& to) {
    std::map<Path, Value> renamed;
    for (auto& [path, value] : map) {
      const Path now = !below(path, from) ? path : path == from ? to : to / std::filesystem::relative(path, from);
      renamed.insert_or_assign(now, std::move(value));
    }
    map = std::move(renamed);
  }
  void moved(const Path& from, const Path& to) {
    synced_.erase(to);
    rekey(synced_, from, to);
    rekey(pending_, from, to);
    for (auto& [folder, entries] : pending_) {
      for (Entry& entry : entries) {
        if (entry.path != from && below(entry.path, from))
          entry.path = to / std::filesystem::relative(entry.path, from);
        if (!entry.from.empty() && entry.from != from && below(entry.from, from)) {
          entry.from = to / std::filesystem::relative(entry.from, from);
        }
      }
    }
  }

  void lose_power() {
    for (const auto& [path, synced] : synced_) lose_tail(path, synced);
    std::vector<Path> folders;
    for (const auto& [folder, entries] : pending_) folders.push_back(folder);
    std::sort(folders.begin(), folders.end(),
              [](const Path& a, const Path& b) { return a.string().size() > b.string().size(); });  // inner ones first
    for (const Path& folder : folders) {
      auto& entries = pending_[folder];
      const std::uint64_t kept = random_.below(entries.size() + 1);
      while (entries.size() > kept) {
        undo(entries.back());
        entries.pop_back();
      }
    }
  }

  void lose_tail(const Path& path, std::uintmax_t synced) {
    if (!std::filesystem::is_regular_file(path)) return;
    const std::uintmax_t size = std::filesystem::file_size(path);
    if (size <= synced) return;
    const std::uintmax_t kept = synced + random_.below(size - synced + 1);
    std::filesystem::resize_file(path, kept);
    if (random_.below(2) == 0) std::filesystem::resize_file(path, size);  // blocks that were promised, not written
  }

  static void undo(const Entry& entry) {
    if (entry.from.empty()) {
      std::filesystem::remove_all(entry.path);
    } else {
      std::filesystem::rename(entry.path, entry.from);
    }
    if (!entry.before) return;
    if (entry.before->link) {
      std::filesystem::create_symlink(entry.before->bytes, entry.path);
    } else {
      disk().create(entry.path)->write(entry.before->bytes);
    }
  }

  Fault fault_;
  Random random_;
  std::int64_t operations_ = 0;
  bool stopped_ = false;
  std::map<Path, std::uintmax_t> synced_;       // bytes of a file that survive
  std::map<Path, std::vector<Entry>> pending_;  // by directory, in order
};

}  // namespace attune::testing
