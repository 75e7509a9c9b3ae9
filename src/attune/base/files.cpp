#include "attune/base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "attune/base/errors.h"

namespace attune {
namespace {

// Turns errno of a failed operation on `path` into the error of the contract.
[[noreturn]] void fail(const Path& path, std::string_view action, int error, bool creating = false) {
  const Where where{.file = path.string()};
  const std::string found = std::string(action) + " failed: " + std::strerror(error);
  if (error == EACCES || error == EPERM || error == EROFS) {
    throw PermissionError(where, found, "", "check the permissions");
  }
  if (!creating && (error == ENOENT || error == ENOTDIR || error == ELOOP)) {
    throw MissingInput(where, error == ELOOP ? "a loop of symbolic links" : "no such file", "", "check the path");
  }
  if (creating && error != ENOSPC && error != EDQUOT && error != EIO) throw OutputError(where, found);
  throw IoError(where, found, "", error == ENOSPC || error == EDQUOT ? "free some space and try again" : "");
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

struct OpenFile {
  Descriptor descriptor;
  std::size_t size;
};

OpenFile open_regular(const Path& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) fail(path, "opening", errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail(path, "reading", errno);
  if (!S_ISREG(status.st_mode)) {
    throw MissingInput({.file = path.string()}, S_ISDIR(status.st_mode) ? "a directory" : "a pipe, socket or device",
                       "a regular file");
  }
  return {Descriptor(descriptor.release()), static_cast<std::size_t>(status.st_size)};
}

class DiskFile final : public WritableFile {
 public:
  DiskFile(const Path& path, bool append) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0644);
    if (descriptor_ < 0) fail(path, "creating", errno, true);
  }
  ~DiskFile() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0) {
        if (errno == EINTR) continue;
        fail(path_, "writing", errno);
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void sync() override {
    if (::fsync(descriptor_) != 0) fail(path_, "fsync", errno);
  }
  void close() override {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, "closing", errno);
  }

 private:
  Path path_;
  int descriptor_ = -1;
};

class Disk final : public Fs {
 public:
  std::unique_ptr<WritableFile> create(const Path& path, bool append) override {
    return std::make_unique<DiskFile>(path, append);
  }
  void rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail(to, "renaming", errno, true);
  }
  void remove(const Path& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) fail(path, "removing", error.value(), true);
  }
  void make_directories(const Path& path) override {
    std::error_code error;
    std::vector<Path> parents;  // whose entries are new, and forgotten in a power loss until they are synced
    for (Path at = std::filesystem::absolute(path).lexically_normal(); !std::filesystem::exists(at, error);) {
      at = at.parent_path();
      parents.push_back(at);
    }
    std::filesystem::create_directories(path, error);
    if (error) fail(path, "creating the directory", error.value(), true);
    for (const Path& parent : parents) sync_directory(parent);
  }
  void sync_directory(const Path& path) override {
    const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) fail(path, "opening the directory", errno, true);
    if (::fsync(directory.get()) != 0) fail(path, "fsync of the directory", errno, true);
  }
  void link(const Path& target, const Path& path) override {
    Path fresh = path;
    fresh += ".new";
    ::unlink(fresh.c_str());
    if (::symlink(target.c_str(), fresh.c_str()) != 0) fail(path, "linking", errno, true);
    rename(fresh, path);
  }
};

}  // namespace

Fs& disk() {
  static Disk instance;
  return instance;
}

void write_durably(Fs& fs, const Path& path, std::string_view bytes) {
  Path fresh = path;
  fresh += ".tmp";
  const auto file = fs.create(fresh);
  file->write(bytes);
  file->sync();
  file->close();
  fs.rename(fresh, path);
  fs.sync_directory(path.has_parent_path() ? path.parent_path() : Path("."));
}

std::string read_file(const Path& path) {
  const OpenFile file = open_regular(path);
  std::string bytes(file.size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.descriptor.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(path, "reading", errno);
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

MappedFile::MappedFile(const Path& path) {
  const OpenFile file = open_regular(path);
  if (file.size == 0) return;
  data_ = ::mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    fail(path, "mapping", errno);
  }
  size_ = file.size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::InputFile(const Path& path) : path_(path), descriptor_(open_regular(path).descriptor.release()) {}

InputFile InputFile::standard_input() {
  InputFile file;
  file.path_ = "standard input";
  file.descriptor_ = STDIN_FILENO;
  return file;
}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

std::size_t InputFile::read(std::span<char> into) {
  while (true) {
    const ssize_t count = ::read(descriptor_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail(path_, "reading", errno);
  }
}

std::vector<std::string> list_directory(const Path& path) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  if (error) fail(path, "listing", error.value());
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// Whether the path still names the open file: its owner may have removed it before the lock was free.
bool still_there(int descriptor, const Path& path) {
  struct stat open {
  }, there{};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &there) == 0 && open.st_ino == there.st_ino &&
         open.st_dev == there.st_dev;
}

}  // namespace

DirectoryLock::DirectoryLock(const Path& directory) {
  const Path path = directory / ".lock";
  while (descriptor_ < 0) {
    Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (descriptor.get() < 0) fail(path, "creating", errno, true);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      char holder[256] = {};
      const ssize_t count = ::read(descriptor.get(), holder, sizeof holder - 1);
      throw OutputError({.file = directory.string()},
                        "a run directory in use by " + std::string(count > 0 ? holder : "another process"), "",
                        "wait for it, or choose another `out`");
    }
    if (!still_there(descriptor.get(), path)) continue;
    char host[128] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string text = "process " + std::to_string(::getpid()) + " on " + host;
    if (::ftruncate(descriptor.get(), 0) != 0 || ::write(descriptor.get(), text.data(), text.size()) < 0) {
      fail(path, "writing", errno, true);
    }
    descriptor_ = descriptor.release();
  }
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

}  // namespace attune
