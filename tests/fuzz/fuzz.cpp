// fuzz CALLS [SEED]: so many calls of public entries, each with arguments of its own, good and bad; meant for a build with
// sanitizers. Every call returns or refuses in words; a refused one has written nothing, and no call writes beside its outputs.
// Compiled with -DFANIN_LIBFUZZER it is a target of libFuzzer, whose bytes take the place of the numbers.
#include <filesystem>

#include "source.hpp"

namespace {

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string made = (std::filesystem::temp_directory_path() / "fanin-fuzz-XXXXXX").string();
        if (mkdtemp(made.data()) == nullptr) std::abort();
        path = made;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

}  // namespace

#if defined(FANIN_LIBFUZZER)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t n) {
    static const Folder folder;
    fuzz::Source source(bytes, n);
    fuzz::any(source, folder.path.string());
    return 0;
}
#else
int main(int argc, char** argv) {
    const long wanted = argc > 1 ? std::atol(argv[1]) : 20000;
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const Folder folder;
    long calls = 0;
    // The turn is in the last words, so that `fuzz 1 TURN` repeats it alone.
    for (std::uint64_t turn = seed; calls < wanted; ++turn) {
        std::FILE* const log = std::getenv("FANIN_FUZZ_TRACE") ? stdout : nullptr;
        if (log != nullptr) std::fprintf(log, "turn %llu\n", static_cast<unsigned long long>(turn)), std::fflush(log);
        fuzz::Source source(turn << 20);
        fuzz::turn = turn;
        fuzz::any(source, folder.path.string());
        calls = 0;
        for (const auto& [name, tally] : fuzz::tallies) calls += tally.calls;
    }
    bool good = true;
    for (const auto& [name, tally] : fuzz::tallies) {
        const bool useless = wanted >= 10000 && tally.refused == tally.calls;
        std::printf("%-60s %9ld calls, %9ld refused%s\n", name.c_str(), tally.calls, tally.refused,
                    useless ? ": nothing was computed" : "");
        good = good && !useless;
    }
    std::printf("%ld calls, no finding\n", calls);
    return good ? 0 : 1;
}
#endif
