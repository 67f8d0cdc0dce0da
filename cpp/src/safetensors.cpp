#include "fanin/safetensors.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "message.hpp"
#include "safetensors_header.hpp"
#include "system_files.hpp"

namespace fanin {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMaxHeader = 100'000'000;  // what other readers take

constexpr std::pair<std::string_view, std::size_t> kDtypes[] = {
    {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I64", 8}, {"I32", 4},
    {"I16", 2}, {"I8", 1},  {"U64", 8}, {"U32", 4},  {"U16", 2},     {"U8", 1},      {"BOOL", 1}};

// Bytes of a tensor; false where there is no such number.
bool bytes_of(std::string_view dtype, std::span<const std::size_t> shape, std::size_t& bytes) {
    bytes = detail::dtype_size(dtype);
    for (const std::size_t n : shape)
        if (__builtin_mul_overflow(bytes, n, &bytes)) return false;
    return true;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            constexpr std::string_view kDigits = "0123456789abcdef";
            out += "\\u00";
            out += kDigits[static_cast<unsigned char>(c) >> 4];
            out += kDigits[c & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string header_of(std::span<const Tensor> tensors, const Metadata& metadata) {
    std::string out = "{\"__metadata__\":{";
    bool first = true;
    for (const auto& [key, value] : metadata) {
        if (!std::exchange(first, false)) out += ',';
        append_quoted(out, key);
        out += ':';
        append_quoted(out, value);
    }
    out += '}';
    std::set<std::string_view> names{"__metadata__"};
    std::size_t offset = 0;
    for (const Tensor& tensor : tensors) {
        std::size_t bytes = 0;
        if (!names.insert(tensor.name).second)
            detail::refuse({"tensors must have names of their own, got '", tensor.name, "' twice"});
        if (detail::dtype_size(tensor.dtype) == 0)
            detail::refuse({"dtype of tensor '", tensor.name, "' is unknown: '", tensor.dtype, "'"});
        if (!bytes_of(tensor.dtype, tensor.shape, bytes) || bytes != tensor.bytes.size())
            detail::refuse({"tensor '", tensor.name, "' must have the bytes of its shape, got ", tensor.bytes.size()});
        out += ',';
        append_quoted(out, tensor.name);
        out += ":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[";
        for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
            if (i != 0) out += ',';
            out += std::to_string(tensor.shape[i]);
        }
        out += "],\"data_offsets\":[" + std::to_string(offset) + ',' + std::to_string(offset + bytes) + "]}";
        offset += bytes;
    }
    out += '}';
    while (out.size() % 8 != 0) out += ' ';  // so that the tensors are aligned
    if (out.size() > kMaxHeader) detail::refuse({"names and metadata must fit a header of 100 MB"});
    return out;
}

// Where the name begins in a path.
std::size_t name_in(const std::string& path) { return path.find_last_of(detail::kSeparators) + 1; }

std::string folder_of(const std::string& path) {
    const std::size_t name = name_in(path);
    return name == 0 ? "." : path.substr(0, name);
}

// A new file beside `path`, locked as long as it is being written.
class Temporary {
 public:
    explicit Temporary(const std::string& path) {
        static std::atomic<unsigned> count{0};
        while (!file_) {
            path_ = path + "." + std::to_string(detail::process_number()) + "-" + std::to_string(++count) + ".tmp";
            try {
                file_.emplace(detail::File::create(path_));
            } catch (const std::system_error& error) {
                if (error.code().value() != EEXIST) throw;  // left by a process of the same number
                continue;
            }
            if (!file_->is_open()) file_.reset();
        }
    }
    ~Temporary() {
        if (renamed_) return;
        file_->close();
        detail::remove(path_);
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    detail::File& file() { return *file_; }
    void rename_to(const std::string& path) {
#if defined(_WIN32)  // which renames no open file; elsewhere the lock is held to the end
        file_->close();
#endif
        detail::rename_over(path_, path);
        renamed_ = true;
    }

 private:
    std::optional<detail::File> file_;
    std::string path_;
    bool renamed_ = false;
};

// Whether a name is that of a temporary file of `target`: "target.<number>-<number>.tmp".
bool is_temporary(std::string_view name, std::string_view target) {
    constexpr std::string_view kEnd = ".tmp", kDigits = "0123456789";
    if (name.size() < target.size() + 8 || !name.starts_with(target) || name[target.size()] != '.' || !name.ends_with(kEnd))
        return false;
    const std::string_view middle = name.substr(target.size() + 1, name.size() - target.size() - 1 - kEnd.size());
    const std::size_t dash = middle.find('-');
    return dash != middle.npos && dash != 0 && dash + 1 < middle.size() &&
           middle.substr(0, dash).find_first_not_of(kDigits) == middle.npos &&
           middle.substr(dash + 1).find_first_not_of(kDigits) == middle.npos;
}

// Removes the temporary files of saves to `path` that were killed: those that nobody holds locked. What cannot be removed
// stays; it is no error of this save.
void remove_abandoned(const std::string& path) {
    const std::string folder = folder_of(path);
    const std::string_view target = std::string_view(path).substr(name_in(path));
    for (const std::string& name : detail::names_in(folder))
        if (is_temporary(name, target)) detail::remove_unlocked(folder == "." ? name : folder + name);
}

}  // namespace

std::size_t detail::dtype_size(std::string_view dtype) {
    for (const auto& [name, size] : kDtypes)
        if (name == dtype) return size;
    return 0;
}

SafeTensors::SafeTensors(const std::string& path) : path_(path) {
    const std::string where = path + " is damaged or not a safetensors file: ";
    const auto fail = [&](const std::string& reason) { detail::refuse({where, reason}); };
    detail::File file = detail::File::to_read(path);
    const detail::File::Kind kind = file.kind();
    if (kind == detail::File::Kind::folder) detail::fail_system(EISDIR, path);
    if (kind != detail::File::Kind::regular) fail("it is no regular file");

    const std::size_t size = file.size();
    std::uint64_t length = 0;
    if (size < 8 || file.read(&length, 8) != 8) fail("it has " + std::to_string(size) + " bytes, less than 8");
    if (length > kMaxHeader || length > size - 8)
        fail("a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(size));
    std::string header(length, '\0');
    if (file.read(header.data(), length) != length) fail("it ends inside the header");
    std::vector<detail::HeaderEntry> entries;
    detail::HeaderReader(header, where).read(entries, metadata_);

    // In the order of their bytes the tensors leave no hole, and end where the file ends.
    const std::size_t total = size - 8 - length;
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::set<std::string_view> names;
    std::size_t at = 0;
    for (const detail::HeaderEntry& entry : entries) {
        std::size_t bytes = 0;
        if (!names.insert(entry.name).second) fail("tensor '" + entry.name + "' stands twice");
        if (entry.begin != at || entry.end < at || entry.end > total)
            fail("tensor '" + entry.name + "' has bytes " + std::to_string(entry.begin) + " .. " + std::to_string(entry.end) +
                 " of " + std::to_string(total) + ", expected them from " + std::to_string(at) + " on");
        const bool known = detail::dtype_size(entry.dtype) != 0;  // the format gets new dtypes: they pass, unread
        if (known && (!bytes_of(entry.dtype, entry.shape, bytes) || bytes != entry.end - entry.begin))
            fail("tensor '" + entry.name + "' has " + std::to_string(entry.end - entry.begin) +
                 " bytes, not those of its shape");
        at = entry.end;
    }
    if (at != total) fail(std::to_string(total - at) + " bytes belong to no tensor");

    storage_ = std::make_unique_for_overwrite<std::byte[]>(total);
    if (file.read(storage_.get(), total) != total) fail("it became shorter while it was read");
    for (detail::HeaderEntry& entry : entries)
        tensors_.push_back({std::move(entry.name),
                            std::move(entry.dtype),
                            std::move(entry.shape),
                            {storage_.get() + entry.begin, entry.end - entry.begin}});
}

const Tensor* SafeTensors::find(std::string_view name) const {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

const Tensor& SafeTensors::tensor(std::string_view name) const {
    if (const Tensor* found = find(name)) return *found;
    detail::refuse({path_, " has no tensor '", name, "'"});
}

const std::string& SafeTensors::text(const std::string& key) const {
    if (const auto found = metadata_.find(key); found != metadata_.end()) return found->second;
    detail::refuse({path_, " has no '", key, "' in its metadata"});
}

void write_safetensors(const std::string& path, std::span<const Tensor> tensors, const Metadata& metadata) {
    const std::string header = header_of(tensors, metadata);
    const std::uint64_t length = header.size();
    remove_abandoned(path);
    try {
        Temporary made(path);
        made.file().write(&length, 8);
        made.file().write(header.data(), header.size());
        for (const Tensor& tensor : tensors) made.file().write(tensor.bytes.data(), tensor.bytes.size());
        made.file().flush();
        made.rename_to(path);
    } catch (const std::system_error& error) {
        throw std::system_error(error.code(), path);  // the name that the caller knows
    }
    // The rename itself reaches the disk with the folder; a file system that cannot do that has its own promises.
    detail::flush_folder(folder_of(path));
}

}  // namespace fanin
