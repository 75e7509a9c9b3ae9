// Files: reading with clear errors, and durable writing through one seam (Fs) that tests can make fail at every step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

using Path = std::filesystem::path;

// A file being written. Dropping it without close() leaves whatever was written; nobody has been promised anything yet.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void sync() = 0;  // fsync: the bytes survive a power loss
  virtual void close() = 0;
};

// Every durable write of attune goes through these operations; each throws IoError, OutputError (cannot create) or
// PermissionError naming the path. `disk()` is the real one; tests pass one that fails, forgets or stops at operation
// n.
class Fs {
 public:
  virtual ~Fs() = default;
  virtual std::unique_ptr<WritableFile> create(const Path& path, bool append = false) = 0;  // truncates unless append
  virtual void rename(const Path& from, const Path& to) = 0;                                // replaces `to`
  virtual void remove(const Path& path) = 0;            // recursively; nothing happens when it is not there
  virtual void make_directories(const Path& path) = 0;  // those above it too; they survive a power loss
  virtual void sync_directory(const Path& path) = 0;
  virtual void link(const Path& target, const Path& path) = 0;  // symbolic link, replaced atomically
};

Fs& disk();

// Writes the whole file so that after a crash either the old or the new content is there: temporary file beside it,
// fsync, rename, fsync of the directory.
void write_durably(Fs& fs, const Path& path, std::string_view bytes);

// Reads a whole regular file. Throws MissingInput, PermissionError, IoError; refuses directories, pipes and sockets
// without blocking.
std::string read_file(const Path& path);

// A read-only view of a regular file's bytes, valid while the object lives. Errors as read_file.
class MappedFile {
 public:
  explicit MappedFile(const Path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// A regular file, or standard input, read from front to back in pieces.
class InputFile {
 public:
  explicit InputFile(const Path& path);  // errors as read_file
  static InputFile standard_input();     // not closed at the end
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  std::size_t read(std::span<char> into);  // bytes read, 0 at the end; throws IoError

 private:
  InputFile() = default;
  Path path_;
  int descriptor_ = -1;
};

// Names in a directory, sorted. Throws MissingInput when it is not there.
std::vector<std::string> list_directory(const Path& path);

// Holds an exclusive lock file in a directory until destroyed; throws OutputError naming the holder's pid and host.
class DirectoryLock {
 public:
  explicit DirectoryLock(const Path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace attune
