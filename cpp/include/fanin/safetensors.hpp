// Files in the safetensors format: named arrays and a dictionary of texts, read without executing anything.
//
// A file is the length of the header (8 bytes, little-endian), the header (JSON: for each tensor its dtype, shape and the
// offsets of its bytes; texts under "__metadata__"), then the bytes of all tensors, in C order, little-endian, without holes
// (https://github.com/huggingface/safetensors).
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

struct Tensor {
    std::string name;   // UTF-8
    std::string dtype;  // "F32", "F64", "I64", ...: the format's own word
    std::vector<std::size_t> shape;
    std::span<const std::byte> bytes;  // of any alignment
};

using Metadata = std::map<std::string, std::string>;

// A file in memory. Every tensor lies inside the file, has as many bytes as its shape says and shares none with another. A
// tensor of a dtype that is unknown here has the bytes that the file gives it, whatever its shape.
class SafeTensors {
 public:
    // std::system_error where the file cannot be read; std::invalid_argument where it is no whole and sound safetensors
    // file: cut short, bytes beyond the end, a header above 100 MB or not as described above, a name twice.
    explicit SafeTensors(const std::string& path);

    const std::string& path() const { return path_; }
    std::span<const Tensor> tensors() const { return tensors_; }
    const Metadata& metadata() const { return metadata_; }
    const Tensor* find(std::string_view name) const;  // null where there is none
    // std::invalid_argument that names the file where there is none.
    const Tensor& tensor(std::string_view name) const;
    const std::string& text(const std::string& key) const;

 private:
    std::string path_;
    std::unique_ptr<std::byte[]> storage_;
    std::vector<Tensor> tensors_;
    Metadata metadata_;
};

// Writes a file in one piece: to a new file in the same folder, flushed to the disk, then renamed, so that `path` is never a
// part of a file, and what it was stays where anything fails. New files that killed saves to `path` have left
// ("<path>.<process>-<count>.tmp") are removed first, but for those that another save is writing. std::system_error where the
// system refuses; std::invalid_argument, before anything is written, where a name appears twice, a dtype is unknown or bytes
// and shape differ.
void write_safetensors(const std::string& path, std::span<const Tensor> tensors, const Metadata& metadata);

namespace detail {
// Bytes of an element; 0 for a word that is no dtype.
std::size_t dtype_size(std::string_view dtype);
}  // namespace detail

}  // namespace fanin FANIN_PUBLIC
