// What the readers of files ask of the system, POSIX or Windows. Errors are std::system_error with an errno and the path, in
// UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanin::detail {

class File {
 public:
    static File to_read(const std::string& path);  // a pipe does not make it wait
    // A new file, locked as long as it is open: a lock ends with its process, however that ends. EEXIST where there is one;
    // closed at once where it was removed before it was locked.
    static File create(const std::string& path);
    File(File&& other) noexcept;
    File& operator=(File&&) = delete;
    ~File();
    bool is_open() const { return fd_ >= 0; }
    void close();

    enum class Kind { regular, folder, other };
    Kind kind() const;
    std::size_t size() const;
    std::size_t read(void* to, std::size_t n);  // bytes read; fewer than asked for only at the end of the file
    void write(const void* from, std::size_t n);
    void flush();  // to the disk

 private:
    friend class Mapping;
    File(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::string path_;
    int fd_;
};

// Bytes [offset, offset + n) of a file, to be read like memory; n is at least 1. They must lie in the file as long as they are
// read: POSIX ends the process otherwise. (Windows lets no file become shorter that is mapped.)
class Mapping {
 public:
    Mapping() = default;
    Mapping(const File& file, std::uint64_t offset, std::size_t n);
    Mapping& operator=(Mapping&& other) noexcept;
    ~Mapping();
    const std::byte* data() const { return data_; }  // null of the empty one
    // The system need not keep bytes [begin, end) in this process's memory; they can still be read.
    void give_back(std::size_t begin, std::size_t end) const noexcept;

 private:
    std::byte* base_ = nullptr;  // what is mapped begins where the system's pages do
    std::size_t size_ = 0;
    const std::byte* data_ = nullptr;
};

// What separates folders in a path.
#if defined(_WIN32)
inline constexpr std::string_view kSeparators = "/\\";
#else
inline constexpr std::string_view kSeparators = "/";
#endif

// A closed file takes the place of whatever `to` is; on POSIX it may be open.
void rename_over(const std::string& from, const std::string& to);
void flush_folder(const std::string& path) noexcept;  // where the system can: renames reach the disk with it
void remove(const std::string& path) noexcept;
void remove_unlocked(const std::string& path) noexcept;        // a regular file that no process has locked
std::vector<std::string> names_in(const std::string& folder);  // none where it cannot be read
unsigned long process_number();
[[noreturn]] void fail_system(int error, const std::string& path);

}  // namespace fanin::detail
