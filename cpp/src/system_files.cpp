#include "system_files.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <share.h>
#include <sys/stat.h>
#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <filesystem>
#else
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "division.hpp"

namespace fanin::detail {

void fail_system(int error, const std::string& path) { throw std::system_error(error, std::generic_category(), path); }

File::File(File&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
File::~File() { close(); }

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
}

#if defined(_WIN32)
// The run-time library's files: its errors are errnos. A file that is written shares nothing, which is its lock.
namespace {

constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;
using Status = struct _stat64;

std::filesystem::path wide(const std::string& path) { return std::filesystem::path(std::u8string(path.begin(), path.end())); }

}  // namespace

File File::to_read(const std::string& path) {
    const std::filesystem::path name = wide(path);
    const int fd = ::_wopen(name.c_str(), _O_RDONLY | _O_BINARY | _O_NOINHERIT);
    if (fd < 0) {
        const int error = errno;  // a folder cannot be opened here
        std::error_code ignored;
        fail_system(std::filesystem::is_directory(name, ignored) ? EISDIR : error, path);
    }
    return {path, fd};
}
File File::create(const std::string& path) {
    const int fd = ::_wsopen(wide(path).c_str(), _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT, _SH_DENYRW,
                             _S_IREAD | _S_IWRITE);
    if (fd < 0) fail_system(errno, path);
    return {path, fd};
}
void File::close() {
    if (fd_ >= 0) ::_close(std::exchange(fd_, -1));
}
File::Kind File::kind() const {
    Status status{};
    if (::_fstat64(fd_, &status) != 0) fail_system(errno, path_);
    if ((status.st_mode & _S_IFMT) == _S_IFREG) return Kind::regular;
    return (status.st_mode & _S_IFMT) == _S_IFDIR ? Kind::folder : Kind::other;
}
std::size_t File::size() const {
    Status status{};
    if (::_fstat64(fd_, &status) != 0) fail_system(errno, path_);
    return static_cast<std::size_t>(status.st_size);
}
std::size_t File::read(void* to, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
        const int got = ::_read(fd_, static_cast<char*>(to) + done, static_cast<unsigned>(std::min(n - done, kMaxTransfer)));
        if (got < 0) fail_system(errno, path_);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}
Mapping::Mapping(const File& file, std::uint64_t offset, std::size_t n) {
    SYSTEM_INFO system;
    ::GetSystemInfo(&system);
    const std::uint64_t begin = offset - offset % system.dwAllocationGranularity;
    size_ = n + static_cast<std::size_t>(offset - begin);
    const auto handle = reinterpret_cast<HANDLE>(::_get_osfhandle(file.fd_));
    const HANDLE whole = ::CreateFileMappingW(handle, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (whole == nullptr) fail_system(EIO, file.path_);
    const auto low = static_cast<DWORD>(begin), high = static_cast<DWORD>(begin >> 32);
    base_ = static_cast<std::byte*>(::MapViewOfFile(whole, FILE_MAP_READ, high, low, size_));
    ::CloseHandle(whole);  // the view keeps it
    if (base_ == nullptr) fail_system(ENOMEM, file.path_);
    data_ = base_ + (offset - begin);
}
Mapping::~Mapping() {
    if (base_ != nullptr) ::UnmapViewOfFile(base_);
}
void Mapping::give_back(std::size_t, std::size_t) const noexcept {}  // the system trims what is not used
void File::write(const void* from, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
        const auto part = static_cast<unsigned>(std::min(n - done, kMaxTransfer));
        const int put = ::_write(fd_, static_cast<const char*>(from) + done, part);
        if (put < 0) fail_system(errno, path_);
        done += static_cast<std::size_t>(put);
    }
}
void File::flush() {
    if (::_commit(fd_) != 0) fail_system(errno, path_);
}

void rename_over(const std::string& from, const std::string& to) {
    std::error_code error;
    std::filesystem::rename(wide(from), wide(to), error);
    if (error) fail_system(error.default_error_condition().value(), to);
}
void flush_folder(const std::string&) noexcept {}
void remove(const std::string& path) noexcept { ::_wunlink(wide(path).c_str()); }
void remove_unlocked(const std::string& path) noexcept {  // one that shares nothing cannot be removed
    std::error_code ignored;
    if (std::filesystem::is_regular_file(wide(path), ignored)) remove(path);
}
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code error;
    for (std::filesystem::directory_iterator one(wide(folder), error), end; !error && one != end; one.increment(error)) {
        const std::u8string name = one->path().filename().u8string();
        found.emplace_back(name.begin(), name.end());
    }
    return found;
}
unsigned long process_number() { return static_cast<unsigned long>(::_getpid()); }

#else

namespace {

constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

struct stat status_of(int fd, const std::string& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) fail_system(errno, path);
    return status;
}

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

}  // namespace

File File::to_read(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) fail_system(errno, path);
    return {path, fd};
}
File File::create(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) fail_system(errno, path);
    File made(path, fd);
    // Another save may have taken the file for an abandoned one before it was locked.
    struct stat status{};
    const bool held_by_another = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (held_by_another || (::fstat(fd, &status) == 0 && status.st_nlink == 0)) made.close();
    return made;
}
void File::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}
File::Kind File::kind() const {
    const struct stat status = status_of(fd_, path_);
    return S_ISREG(status.st_mode) ? Kind::regular : S_ISDIR(status.st_mode) ? Kind::folder : Kind::other;
}
std::size_t File::size() const { return static_cast<std::size_t>(status_of(fd_, path_).st_size); }
std::size_t File::read(void* to, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
        const ssize_t got = ::read(fd_, static_cast<char*>(to) + done, std::min(n - done, kMaxTransfer));
        if (got == 0) break;
        if (got > 0) done += static_cast<std::size_t>(got);
        else if (errno != EINTR) fail_system(errno, path_);
    }
    return done;
}
Mapping::Mapping(const File& file, std::uint64_t offset, std::size_t n) {
    const std::uint64_t begin = offset - offset % page_size();
    size_ = n + static_cast<std::size_t>(offset - begin);
    void* const base = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd_, static_cast<off_t>(begin));
    if (base == MAP_FAILED) fail_system(errno, file.path_);
    base_ = static_cast<std::byte*>(base);
    data_ = base_ + (offset - begin);
}
Mapping::~Mapping() {
    if (base_ != nullptr) ::munmap(base_, size_);
}
void Mapping::give_back(std::size_t begin, std::size_t end) const noexcept {
    const std::size_t page = page_size(), before = static_cast<std::size_t>(data_ - base_);
    const std::size_t from = ceil_div(before + begin, page) * page, to = (before + end) / page * page;
    if (from < to) ::madvise(base_ + from, to - from, MADV_DONTNEED);
}
void File::write(const void* from, std::size_t n) {
    std::size_t done = 0;
    while (done < n) {
        const ssize_t put = ::write(fd_, static_cast<const char*>(from) + done, std::min(n - done, kMaxTransfer));
        if (put >= 0) done += static_cast<std::size_t>(put);
        else if (errno != EINTR) fail_system(errno, path_);
    }
}
void File::flush() {
    if (::fsync(fd_) != 0) fail_system(errno, path_);
}

void rename_over(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) fail_system(errno, to);
}
void flush_folder(const std::string& path) noexcept {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)::fsync(fd);
    ::close(fd);
}
void remove(const std::string& path) noexcept { ::unlink(path.c_str()); }
void remove_unlocked(const std::string& path) noexcept {
    const int fd = ::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    struct stat status{};
    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ::flock(fd, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    ::close(fd);
}
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> found;
    DIR* const listing = ::opendir(folder.c_str());
    if (listing == nullptr) return found;
    while (const dirent* entry = ::readdir(listing)) found.emplace_back(entry->d_name);
    ::closedir(listing);
    return found;
}
unsigned long process_number() { return static_cast<unsigned long>(::getpid()); }

#endif

}  // namespace fanin::detail
