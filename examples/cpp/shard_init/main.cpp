// Several processes each draw their rows of one tensor in one memory-mapped file; none sees the others, and the file has the
// bits that one process would have drawn: shard_init FILE [processes].
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <fanin/fanin.hpp>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr std::size_t kShape[] = {4096, 1024};
constexpr std::size_t kBytes = kShape[0] * kShape[1] * sizeof(float);
const fanin::Key kKey{.seed = 7, .stream = fanin::stream_id("embedding.weight")};

// The file's bytes in memory, shared between processes.
class Mapped {
 public:
    explicit Mapped(const std::string& path) {
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0666);
        if (file < 0 || ::ftruncate(file, kBytes) != 0) throw std::system_error(errno, std::generic_category(), path);
        data_ = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (data_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), path);
    }
    ~Mapped() { ::munmap(data_, kBytes); }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    float* floats() const { return static_cast<float*>(data_); }

 private:
    void* data_;
};

// Rows begin .. end - 1 of the tensor, where they stand.
void draw_rows(const std::string& path, std::size_t begin, std::size_t end) {
    const Mapped file(path);
    const std::size_t shape[] = {end - begin, kShape[1]}, offset[] = {begin, 0};
    const std::ptrdiff_t strides[] = {static_cast<std::ptrdiff_t>(kShape[1]), 1};
    fanin::fill<float>({file.floats() + begin * kShape[1], shape, strides}, fanin::Law("he_normal"), kKey,
                       fanin::Part{kShape, offset});
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string path = argc > 1 ? argv[1] : "embedding.raw";
    const std::size_t processes = argc > 2 ? std::stoul(argv[2]) : 3;
    const Mapped file(path);
    std::vector<pid_t> children;
    for (std::size_t i = 0; i < processes; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            draw_rows(path, i * kShape[0] / processes, (i + 1) * kShape[0] / processes);
            ::_exit(0);
        }
        children.push_back(child);
    }
    bool good = true;
    for (const pid_t child : children) {
        int status = -1;
        good = ::waitpid(child, &status, 0) == child && status == 0 && good;
    }
    std::vector<float> whole(kShape[0] * kShape[1]);
    fanin::fill<float>(std::span<float>(whole), kShape, fanin::Law("he_normal"), kKey);
    const bool same = std::memcmp(whole.data(), file.floats(), kBytes) == 0;
    std::printf("%zu processes: %s\n", processes, same ? "the bits of one" : "other bits than one");
    return good && same ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
}
